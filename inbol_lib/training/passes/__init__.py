"""One pass through the model, forth and back: what it reads, what it leaves out, what it scores."""
