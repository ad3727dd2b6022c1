"""Evaluating classifiers: accuracy, calibration, groups, and the prediction "none of these"."""
