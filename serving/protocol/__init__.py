"""TensorFlow Serving's wire protocol: messages, tensors and status codes, without TensorFlow."""
