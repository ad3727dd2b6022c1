"""Evaluating models that predict float targets: by mean squared error, lower is better."""
