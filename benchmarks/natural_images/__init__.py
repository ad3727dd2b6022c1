"""Images of 84 x 84 pixels in colour: the shipped configuration on generated classes, its costs."""
