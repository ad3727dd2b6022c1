"""What runs when: the configuration, the pipeline, its runners and the command line."""
