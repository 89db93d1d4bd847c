"""Checkers of the notebooks' exercises: what is right, what is not, and why.

A checker takes a reader's guess or function and returns a `feedback.Verdict`; it prints nothing and
changes nothing. Imports `evaluation`, `training`, `boundary` and `judging`, whose functions are the
truth. Used by all notebooks.
"""
