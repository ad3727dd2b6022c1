"""Modalities: how examples of each kind are stored, decoded and prepared for a network.

Every function of the exported graph that handles examples is here, built of stock TensorFlow
operations. The same functions prepare the training data, so both are treated alike.
"""
