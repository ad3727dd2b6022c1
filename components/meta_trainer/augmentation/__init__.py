"""Varying training episodes: every use of an episode is a new one."""
