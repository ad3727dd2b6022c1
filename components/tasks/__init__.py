"""What an episode asks for: one of several classes, or real-valued targets."""
