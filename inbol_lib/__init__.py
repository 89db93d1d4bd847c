"""InBoL: teaching a multimodal LLM to refuse when the image or its knowledge does not hold the answer."""
