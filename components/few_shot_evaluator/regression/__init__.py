"""Judging models whose answers are float targets: by mean squared error, where lower is better."""
