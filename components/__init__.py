"""The steps of the pipeline, a folder each, and the modules that they share."""
