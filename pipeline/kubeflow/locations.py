"""Where Kubeflow's launcher puts the artifacts of object storage on a step's own disk.

It downloads the inputs before a step, and uploads the outputs after it. TFX opens an artifact by
its uri with TensorFlow's file system, which knows no s3:// and no minio://: a step uses the copies.
"""

import os

ROOT_VARIABLE = "FEWSHOT_ARTIFACT_ROOT"
"""Names a folder that stands for `/`, where the mounts lie elsewhere."""

_MOUNTS = {"gs": "gcs", "s3": "s3", "minio": "minio"}


def local_path(uri: str, *, direct: bool = False) -> str:
    """The launcher's copy of an artifact.

    Args:
      uri: a location in object storage, or a path, which is returned as it is.
      direct: leave gs:// locations, which TensorFlow and Beam open themselves.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _MOUNTS or (direct and scheme == "gs"):
        return uri
    # A MinIO location may carry its endpoint as a query string.
    path = rest.partition("?")[0]
    return os.path.join(os.environ.get(ROOT_VARIABLE, "/"), _MOUNTS[scheme], path)
