"""The pipeline on Kubeflow Pipelines: additions to the specification that TFX compiles."""
