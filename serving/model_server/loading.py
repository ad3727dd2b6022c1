"""Loading a version: the session, then its warm-up requests."""

import logging
from collections.abc import Callable
from pathlib import Path

from serving.model_server import predict
from serving.model_server.servable import Parallelism, Servable
from serving.saved_model.warmup import read_warmup

_LOG = logging.getLogger(__name__)


def make_loader(*, parallelism: Parallelism, warmup: bool) -> Callable[[str, int, Path], Servable]:
    """The manager's loader.

    A version whose warm-up file is damaged, or holds a request that fails, is not served.
    """

    def load(name: str, version: int, folder: Path) -> Servable:
        servable = Servable(name, version, folder, parallelism)
        try:
            if warmup:
                for request in read_warmup(folder):
                    predict.predict(
                        servable,
                        request.model_spec.signature_name,
                        predict.proto_inputs(request.inputs, max_bytes=None),
                    )
        except BaseException:
            servable.close()
            raise
        return servable

    return load


def loads(folder: Path) -> bool:
    """Whether a server can serve the version in this folder: tried as it would, warm-up included.

    Takes the seconds, and for as long the memory, that loading takes.
    """
    load = make_loader(parallelism=Parallelism(), warmup=True)
    try:
        load("", 0, folder).close()
    except Exception as error:  # whatever a damaged model raises is the answer
        _LOG.warning("%s cannot be served: %s", folder, error)
        return False
    return True
