"""Is a response a refusal, is it right, can that be decided (paper, App. D.1).

Imports `mllm` and `data`. Notebooks 00, 01 and 04 to 06 judge responses; notebook 06 audits the
judging itself.
"""
