"""One core an operation: said in the environment, and heard by TensorFlow."""

import os
import subprocess
import sys
from importlib import metadata

import pytest

from components.single_threaded import pool_threads, use_single_threaded_operations


def test_what_a_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/nowhere")
    use_single_threaded_operations()
    use_single_threaded_operations()
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    flags = "--xla_dump_to=/nowhere --xla_cpu_multi_thread_eigen=false"
    assert os.environ["XLA_FLAGS"] == flags


@pytest.mark.parametrize("version, threads", [("2.16.2", 1), ("2.21.0", 3)])
def test_the_pool_of_a_later_tensorflow_has_a_thread_for_each_core(monkeypatch, version, threads):
    monkeypatch.setattr(metadata, "version", lambda name: version)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert pool_threads() == threads


PRODUCTS = """
import sys, time
from components.single_threaded import use_single_threaded_operations
use_single_threaded_operations()
import tensorflow as tf
product = tf.function(lambda a: tf.matmul(a, a), jit_compile=sys.argv[1] == "xla")
a = tf.ones([1024, 1024]); product(a)
processor, clock = time.process_time(), time.perf_counter()
for _ in range(30): product(a).numpy()
print((time.process_time() - processor) / (time.perf_counter() - clock))
"""


@pytest.mark.parametrize("compiled", ["xla", "plain"])
def test_a_product_keeps_to_one_core(compiled):
    """Processor seconds per second by the clock: 1.9 on two free cores without the call."""
    if pool_threads() > 1:
        pytest.skip("this TensorFlow's pool has a thread for each core, for XLA's sake")
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("TF_NUM_INTRAOP_THREADS", "XLA_FLAGS"):
        environment.pop(name, None)
    command = [sys.executable, "-c", PRODUCTS, compiled]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.2
