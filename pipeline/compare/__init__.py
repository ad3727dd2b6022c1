"""`fewshot compare`: learners and options on the same episodes with the same budget."""
