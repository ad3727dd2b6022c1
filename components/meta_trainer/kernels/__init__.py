"""Layers with an episode axis, written for XLA on CPUs and differentiable twice.

convolution        3 x 3 convolution and maximum: choose one of the next three
patches            for XLA: a matrix product over patches
pooling            for XLA: a 2 x 2 maximum of slices
plain_convolution  for all else: TensorFlow's own convolutions
dense              linear maps
normalisation      whose moments normalise a query
moments            mean, variance and the rectifier, with gradients by hand
"""
