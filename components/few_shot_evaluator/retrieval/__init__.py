"""Evaluating models that answer with a phrase: by recall, the share of right answers."""
