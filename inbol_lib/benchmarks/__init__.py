"""Readers of real data sets, one file each."""
