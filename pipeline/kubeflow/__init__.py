"""The same pipeline on Kubeflow Pipelines: what its specification needs beyond what TFX writes."""
