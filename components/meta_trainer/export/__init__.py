"""From meta-learned weights to a SavedModel that adapts."""
