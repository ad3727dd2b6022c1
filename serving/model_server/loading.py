"""Loads a version: the session, then its warm-up requests."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from tensorflow_serving.apis import predict_pb2

from serving.model_server import predict
from serving.model_server.process import trim_memory
from serving.model_server.run_memory import RunCosts
from serving.model_server.servable import Parallelism, Servable
from serving.model_server.session_threads import Run, with_fastest_threads
from serving.saved_model.warmup import read_warmup

_LOG = logging.getLogger(__name__)
_LARGE = 256 << 20  # bytes of a model


def make_loader(
    *,
    parallelism: Parallelism,
    warmup: bool,
    measure_threads: bool = False,
    measure_memory: bool = False,
    prepare: Callable[[Servable], None] = lambda servable: None,
) -> Callable[[str, int, Path], Servable]:
    """Makes the manager's loader, which fails if the warm-up file or one of its requests does.

    With `measure_threads`, 0 threads an operation means those that answer the warm-up requests of
    the first signature fastest: a signature's first request takes seconds, in which TensorFlow
    optimises its graph, so the other signatures wait for the choice. A model of more than 256 MB
    gets one a core: to choose, it would be in memory twice. With `measure_memory`, the
    memory of runs is measured meanwhile, in a thread of its own. `prepare` is called with each
    version that is loaded, before it is available.
    """

    def load(name: str, version: int, folder: Path) -> Servable:
        messages = list(read_warmup(folder)) if warmup else []
        requests = [_run(request) for request in messages]

        def session(threads: Parallelism) -> Servable:
            return Servable(name, version, folder, threads)

        if measure_threads and not parallelism.intra_op and _bytes(folder) < _LARGE:
            largest = max((request.ByteSize() for request in messages), default=0)
            names = [request.model_spec.signature_name for request in messages]
            timed = [run for run, signature in zip(requests, names) if signature == names[0]]
            servable = with_fastest_threads(session, parallelism.inter_op, timed, largest)
        else:
            servable = session(parallelism)
        try:
            for run in requests:
                run(servable)
        except BaseException:
            servable.close()
            raise
        prepare(servable)
        if warmup and measure_memory:
            threading.Thread(target=_measure_memory, args=(servable, folder), daemon=True).start()
        return servable

    return load


def _measure_memory(servable: Servable, folder: Path) -> None:
    RunCosts().measure(servable, read_warmup(folder))
    trim_memory()


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _run(request: predict_pb2.PredictRequest) -> Run:
    inputs = predict.proto_inputs(request.inputs, max_bytes=None)
    signature = request.model_spec.signature_name
    return lambda servable: predict.predict(servable, signature, inputs)


def loads(folder: Path) -> bool:
    """Tells whether a server can serve the version in a folder, by loading and warming it up.

    It needs the time and, meanwhile, the memory of a loaded model.
    """
    load = make_loader(parallelism=Parallelism(), warmup=True)
    try:
        load("", 0, folder).close()
    except Exception as error:  # a damaged model may raise anything
        _LOG.warning("%s cannot be served: %s", folder, error)
        return False
    return True
