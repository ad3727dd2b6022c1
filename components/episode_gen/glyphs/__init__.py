"""Glyphs: characters of invented alphabets, drawn by the project itself as a TFDS data set."""
