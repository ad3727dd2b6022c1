"""Logs requests and their answers, as TensorFlow Serving's LoggingConfig has it."""
