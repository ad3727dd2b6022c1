"""Pretrained text encoders on stock TensorFlow operations: files, tokens, transformer, table."""
