"""EpisodeValidator: checks rules that TFDV cannot express; a violation stops the pipeline."""
