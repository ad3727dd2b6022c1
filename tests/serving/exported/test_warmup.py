"""The warm-up requests of an export: a server takes them all, and no signature is left cold."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.export.warmup import warmup_requests
from serving.model_server.loading import loads
from serving.saved_model import signatures as names
from serving.saved_model.warmup import read_warmup, write_warmup
from tests.serving.exported.small_exports import MODELS, RATE, WAYS


def episode(spec):
    """One episode of any kind of examples, five for support and three queries."""
    rng = np.random.default_rng(0)

    def examples(count):
        if spec.dtype == "string":
            return np.array([[f"text {n}".encode() for n in range(count)]], object)
        shape = [RATE // 4 if size is None else size for size in spec.shape]
        return rng.integers(0, 2, (1, count, *shape)).astype(spec.dtype)

    y = np.arange(WAYS, dtype=np.int32)[None]
    if spec.regression:
        y = rng.normal(size=(1, WAYS, *spec.target_shape)).astype(np.float32)
    return {names.SUPPORT_X: examples(WAYS), names.SUPPORT_Y: y, names.QUERY_X: examples(3)}


@pytest.mark.parametrize("name", MODELS)
def test_every_signature_that_clients_use_is_warmed_up(name, tmp_path):
    model = MODELS[name]
    model.export(tmp_path / "1")
    assembly = model.assemble()
    weights = assembly.learner.init(0)
    requests = warmup_requests(episode(model.spec), "abcde", assembly, weights)
    write_warmup(tmp_path / "1", name, list(requests))
    offered = set(tf.saved_model.load(str(tmp_path / "1")).signatures) - {names.PATH, names.EMBED}
    assert {r.model_spec.signature_name for r in read_warmup(tmp_path / "1")} == offered
    assert loads(tmp_path / "1")
