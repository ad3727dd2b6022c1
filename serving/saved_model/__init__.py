"""The contents of an exported model: signatures, checks in its graph, warm-up requests."""
