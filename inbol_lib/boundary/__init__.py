"""What the model knows and what the picture holds (paper, Sec. 3.2).

Confidence, unanswerable questions with their review, and the composition of the training data.
Imports `judging`, `mllm`, `micro` and `data`. Used by notebooks 01 to 03.
"""
