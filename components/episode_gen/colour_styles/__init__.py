"""Styles in colour: pictures, and what a style does to them, pixel by pixel."""
