"""The micro world: small pictures with questions whose truth is known, and miniature LLaVAs that learn them."""
