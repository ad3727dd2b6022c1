"""The local paths of the copies that Kubeflow's launcher makes of artifacts in object storage.

It downloads the inputs before a step and uploads the outputs after it. TFX opens an artifact by
its uri with TensorFlow's file system, which has no s3:// and no minio://: a step uses the copies.
"""

import os

ROOT_VARIABLE = "FEWSHOT_ARTIFACT_ROOT"
"""Environment variable: the folder that holds the mounts, instead of `/`."""

_MOUNTS = {"gs": "gcs", "s3": "s3", "minio": "minio"}


def local_path(uri: str, *, direct: bool = False) -> str:
    """Returns the path of the launcher's copy of an artifact; a path is returned unchanged.

    With `direct`, gs:// locations stay, for TensorFlow and Beam can open them.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _MOUNTS or (direct and scheme == "gs"):
        return uri
    # A MinIO location may carry its endpoint as a query string.
    path = rest.partition("?")[0]
    return os.path.join(os.environ.get(ROOT_VARIABLE, "/"), _MOUNTS[scheme], path)
