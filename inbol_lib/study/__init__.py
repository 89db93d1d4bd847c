"""The study as a graph of stages: what each is made from, where it lies, and how it is run.

Imports every room of the method, never `report`. Every notebook opens its stage here; `inbol run`
and the Snakefile start them.
"""
