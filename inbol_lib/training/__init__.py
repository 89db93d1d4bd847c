"""IDK-IT and CA-DPO (paper, Sec. 3.3), and the packing that makes CA-DPO fast.

Start with `preference_loss` for the equations and `layout` for the packing; `idk_it` and `ca_dpo`
are the two trainings. The room imports `mllm` and `params`. It is handed rows, a start and a
folder, and knows nothing of stages. Notebooks 04 and 05 use it, and notebook 00 plots the loss.
"""
