"""IDK-IT and CA-DPO (paper, Sec. 3.3), and the packing that makes them fast.

Imports `mllm` and `data`; it is handed rows, a start and a folder, and knows no stages. Used by
notebooks 04 and 05; notebook 00 plots the loss.
"""
