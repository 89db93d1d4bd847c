"""The paper's training sources: VQAv2, OVEN and ScienceQA."""
