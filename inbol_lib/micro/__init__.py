"""The micro world: small pictures with questions whose truth is known, and miniature LLaVAs that learn them."""

VERSION = 2  # of its pictures and questions; another one gives artefacts other names
