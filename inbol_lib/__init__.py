"""InBoL: a multimodal LLM learns to refuse what it can neither see nor know."""
