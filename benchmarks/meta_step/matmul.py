"""Float32 matrix products of size 1024 on all cores: this machine's rate."""

import sys

import tensorflow as tf

from benchmarks.meta_step.worker import serve

SIZE = 1024


def main() -> None:
    """Answers the driver with matrix products."""
    a = tf.random.normal([SIZE, SIZE])
    serve(lambda outer: float(tf.matmul(a, a)[0, 0]), dict, {"tensorflow": tf.__version__})


if __name__ == "__main__":
    del sys.argv[1:]
    main()
