"""What a question and a record are, and where questions come from: a folder or the benchmarks.

Imports nothing of the library but its parameters, paths and errors. Notebooks 01 to 03 read and
write its tables; all other rooms build on it.
"""
