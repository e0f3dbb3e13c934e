"""Text to a coded record: normalise, features, walk, decide; pure, no I/O but loading a model."""
