"""Task types: an episode asks for one of several classes, or for real-valued targets."""
