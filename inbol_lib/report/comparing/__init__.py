"""Runs side by side: two of them with paired differences, or a whole grid in one table."""
