"""The folders of a model's versions: how they are written, found, kept and named."""
