"""What a terminal shows of a run: a live table of its stages, and an end page."""
