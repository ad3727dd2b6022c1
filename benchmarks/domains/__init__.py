"""How far models fall on new domains."""
