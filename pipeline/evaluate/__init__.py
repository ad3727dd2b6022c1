"""`fewshot evaluate`: a trained model at other ways, shots or data, without training."""
