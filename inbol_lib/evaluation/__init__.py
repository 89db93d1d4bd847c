"""Outcomes of every method, metrics with intervals, selective prediction and the probe.

Imports `training`, `boundary`, `judging`, `mllm` and `data`. Used by notebooks 00, 06 and 08.
"""
