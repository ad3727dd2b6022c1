"""The cost of pretrained encoders, beside the backbones that begin at random."""
