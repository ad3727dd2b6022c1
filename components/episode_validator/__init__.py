"""EpisodeValidator: what TFDV cannot express about episodes; a violation stops the pipeline."""
