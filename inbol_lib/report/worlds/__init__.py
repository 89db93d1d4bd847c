"""The worlds that the paper's claims are tried in, and what the choice of a world decides.

`card` holds a made world to what LLaVA-1.5 does before any training for refusals, `easy_vqa` runs
the study in a world that nobody here made, and `verdicts` puts the worlds side by side.
"""
