"""`fewshot zoo`: trained models by name, listed, fetched and published."""
