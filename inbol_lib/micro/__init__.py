"""The micro world: small pictures, questions of known truth, and the models that learn them."""

#: Version of the pictures and questions; a new one gives every artefact made from them a new name.
VERSION = 3
