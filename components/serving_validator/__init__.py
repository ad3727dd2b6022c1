"""ServingValidator: checks that TensorFlow Serving can serve a SavedModel.

It takes the place of TFX's InfraValidator, which needs Docker and sends only single strings. The
model is loaded and run by the server's own code in a process of its own (`probe`), so that a model
that crashes or hangs harms nothing but its own blessing.
"""
