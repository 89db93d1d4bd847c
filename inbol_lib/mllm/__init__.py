"""A multimodal language model at work: loading, its chat format, sampling, endpoints.

Imports `data`. Notebooks 00 to 06 and 08 load a model here; judging, boundary, training and
evaluation ask it.
"""
