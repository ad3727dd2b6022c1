"""Augmentation of training episodes: each use of an episode is a new one."""
