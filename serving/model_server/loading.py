"""Loading a version: the session, then its warm-up requests."""

from collections.abc import Callable
from pathlib import Path

from serving.model_server import predict
from serving.model_server.servable import Parallelism, Servable
from serving.warmup import read_warmup


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
