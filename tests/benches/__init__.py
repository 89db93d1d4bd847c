"""Speed and memory against the best that stock tools can do (`python tests/bench.py`).

A cell is one kind of work at one size: `cells` lists them. In each cell our side meets every
sensible setting of its peer, all of them in turns, and the headline is the fastest setting.

shapes        small models of three families with random weights
rows          questions, pairs and conversations
generation    recipes with `generate`, from one call for all questions to a cached picture
training      TRL's trainers in all their settings, and what they refuse
cells         which cells there are, and the sides of each
measuring     seconds in turns, memory in a process of its own, resuming
summary       what a cell is, its rows, and the table in figures/
chart         the figure
real_sizes    LLaVA-1.5-7B on a GPU, SmolVLM-256M on two cores, minutes of a smoke study
"""
