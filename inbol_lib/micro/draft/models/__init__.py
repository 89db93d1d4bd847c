"""The miniature LLaVAs of the third world: how they are built and pretrained."""
