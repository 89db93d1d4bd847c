"""What a stage will ask of a model, counted before anything is loaded or downloaded."""
