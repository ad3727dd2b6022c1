"""What a SavedModel that adapts holds: signatures, the checks in its graph, warm-up requests."""
