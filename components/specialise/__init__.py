"""One adaptation of a few-shot model, kept as an ordinary classifier."""
