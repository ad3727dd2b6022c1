"""The shipped configurations, one YAML file for each experiment."""
