"""Trained models by name: an index, packed files, and the folder that `zoo:NAME` stands for."""
