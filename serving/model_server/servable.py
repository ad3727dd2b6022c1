"""Runs a SavedModel through the C++ session, as TensorFlow Serving does."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, rewriter_config_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import ops

from serving.model_versions.in_use import InUse
from serving.pattern_signs import without_pattern_signs
from serving.protocol.status import DEADLINE_EXCEEDED, UNAVAILABLE, StatusError

# The loader is deprecated in favour of one that runs eager functions, not a session.
tf.get_logger().addFilter(lambda record: "loader_impl" not in record.getMessage())


class Parallelism(NamedTuple):
    """The threads of a session; 0 means one per core."""

    intra_op: int = 0  # threads within an operation
    inter_op: int = 0  # operations at once


class Servable:
    """A loaded version of a model, with the SavedModel's signatures by name (SignatureDef)."""

    def __init__(self, name: str, version: int, folder: Path, parallelism: Parallelism):
        """Loads the model; OpError or OSError if the folder holds none, or a damaged one."""
        self.name = name
        self.version = version
        self.folder = folder
        graph = tf.Graph()
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=parallelism.intra_op,
            inter_op_parallelism_threads=parallelism.inter_op,
            use_per_session_threads=parallelism != Parallelism(),
        )
        _shorten_optimisation(config.graph_options.rewrite_options)
        # Runs whose inputs have fewer bytes than this are computed in the calling thread: to wake
        # the session's threads and to watch the deadline takes a tenth of a millisecond.
        self.short_run_bytes = 0
        self._mark = InUse(folder)
        session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                # The one public loader into a C++ session; TF2's runs eager functions.
                loader = tf.compat.v1.saved_model.loader
                path = str(without_pattern_signs(folder))
                meta_graph = loader.load(session, ["serve"], path)
        except BaseException:
            _free(session)
            self._mark.close()
            raise
        # Copies: a part of the message would keep all of it, which has the graph once more.
        self.signature_defs: dict[str, Any] = {
            name: meta_graph_pb2.SignatureDef.FromString(signature.SerializeToString())
            for name, signature in meta_graph.signature_def.items()
        }
        self._handles = {
            info.name: graph.get_tensor_by_name(info.name)._as_tf_output()
            for signature in self.signature_defs.values()
            for info in [*signature.inputs.values(), *signature.outputs.values()]
            if ":" in info.name  # the initialiser's pseudo-signature names an operation
        }
        graph.finalize()
        graph._functions.clear()  # Python's copies; the session has its own
        self._session: tf.compat.v1.Session | None = session  # None: closed
        # The memory that a run will take, by its feeds; 0 as long as it is not known.
        self.run_bytes: Callable[[Mapping[str, np.ndarray]], int] = lambda feeds: 0
        self._in_flight = 0
        self._when_closed: list[Callable[[], None]] = []
        self._idle = threading.Condition()

    @contextmanager
    def in_use(self) -> Iterator["Servable"]:
        """Keeps the session open in the block; `close` waits for its end."""
        with self._idle:
            self._in_flight += 1
        try:
            yield self
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    def run(
        self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str], deadline: float | None = None
    ) -> list[np.ndarray]:
        """Runs the graph once; a StatusError has TensorFlow's code and message.

        Feeds and fetches are by tensor name. As in TensorFlow Serving, feeds are not cast, and
        their shapes are checked by the operations of the graph only. The deadline is a time on
        `time.monotonic`'s clock; a short run (`short_run_bytes`) that has begun is not ended by it.
        """
        session = self._open_session()
        in_caller = sum(array.nbytes for array in feeds.values()) < self.short_run_bytes
        options = _IN_CALLER if in_caller else _run_options(deadline)
        if in_caller:
            _milliseconds_until(deadline)
        try:
            # Not Session.run(): it casts a wrong dtype silently, refuses shapes with errors of its
            # own, and doubles the overhead.
            arrays = session._call_tf_sessionrun(
                options,
                {self._handles[name]: array for name, array in feeds.items()},
                [self._handles[name] for name in fetches],
                [],
                None,
            )
            # The session gives a scalar string as `bytes`.
            return [np.array(a, object) if isinstance(a, bytes) else a for a in arrays]
        except tf.errors.OpError as error:
            raise StatusError(error.error_code, error.message or "unknown error") from error
        finally:
            if not in_caller and options is not None:
                pywrap_tf_session.TF_DeleteBuffer(options)

    def peak_bytes(self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str]) -> int:
        """Runs the graph once and returns the most memory that its tensors had at a time."""
        session = self._open_session()
        options = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
        buffers = [
            pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString()),
            pywrap_tf_session.TF_NewBuffer(),
        ]
        try:
            session._call_tf_sessionrun(
                buffers[0],
                {self._handles[name]: array for name, array in feeds.items()},
                [self._handles[name] for name in fetches],
                [],
                buffers[1],
            )
            trace = pywrap_tf_session.TF_GetBuffer(buffers[1])
        finally:
            for buffer in buffers:
                pywrap_tf_session.TF_DeleteBuffer(buffer)
        stats = tf.compat.v1.RunMetadata.FromString(trace).step_stats.dev_stats
        changes = sorted(
            (record.alloc_micros, record.alloc_bytes)
            for device in stats
            for node in device.node_stats
            for memory in node.memory
            for record in memory.allocation_records
        )
        return max(accumulate(change for _, change in changes), default=0)

    def _open_session(self) -> tf.compat.v1.Session:
        session = self._session
        if session is None:  # and the caller did not hold it open
            raise StatusError(UNAVAILABLE, f"Version {self.version} of {self.name} is unloaded")
        return session

    def close(self) -> None:
        """Frees the session once the requests in flight have been answered."""
        with self._idle:
            self._idle.wait_for(lambda: not self._in_flight)
            session, self._session = self._session, None
        if session is not None:
            _free(session)
        self._mark.close()
        for call in self._when_closed:
            call()

    def when_closed(self, call: Callable[[], None]) -> None:
        """Has `close` call this in the end."""
        self._when_closed.append(call)


def _free(session: tf.compat.v1.Session) -> None:
    """Closes a session and ends its graph's reference cycles.

    So the last reference frees its memory. The garbage collector would free none of it: whoever
    still refers to a version while `freed_memory.settle` freezes the objects keeps it from that.
    """
    session.close()
    ops.dismantle_graph(session.graph)


def _shorten_optimisation(rewriter: rewriter_config_pb2.RewriterConfig) -> None:
    """Leaves out passes that made loading longer, and no run of this project's models shorter."""
    rewriter.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    rewriter.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    rewriter.shape_optimization = rewriter_config_pb2.RewriterConfig.OFF
    rewriter.loop_optimization = rewriter_config_pb2.RewriterConfig.OFF
    rewriter.disable_tfg_optimizer = True


_IN_CALLER = pywrap_tf_session.TF_NewBufferFromString(
    tf.compat.v1.RunOptions(inter_op_thread_pool=-1).SerializeToString()
)


def _run_options(deadline: float | None) -> Any:
    if deadline is None:
        return None
    options = tf.compat.v1.RunOptions(timeout_in_ms=_milliseconds_until(deadline))
    return pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())


def _milliseconds_until(deadline: float | None) -> int:
    milliseconds = 1 if deadline is None else int((deadline - time.monotonic()) * 1000)
    if milliseconds <= 0:
        raise StatusError(DEADLINE_EXCEEDED, "Deadline Exceeded")
    return milliseconds
