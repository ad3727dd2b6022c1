"""Judging classifiers: accuracy, calibration, groups, and answering "none of these"."""
