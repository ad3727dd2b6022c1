"""`fewshot compare`: several learners on the same episodes with the same budget."""
