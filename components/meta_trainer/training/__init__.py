"""The outer loop: stacks of episodes in, meta-learned weights out."""
