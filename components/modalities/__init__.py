"""What an example is, for each modality: how it is stored, decoded and fed to a network.

Every function that the exported graph contains is here, built of stock TensorFlow operations, and
the same functions prepare the training data: what a client sends is treated as the episodes were.
"""
