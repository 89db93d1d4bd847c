"""The miniature LLaVAs and the judge of the micro world: how they are built and pretrained."""
