"""What artefacts say of themselves."""
