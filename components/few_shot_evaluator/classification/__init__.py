"""Evaluating classifiers: accuracy, calibration, groups, and the answer "none of these"."""
