"""Styles in colour, by kind of style and of picture."""
