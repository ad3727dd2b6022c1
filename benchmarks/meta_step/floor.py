"""The floor: only the matrix products that second-order MAML needs.

As many of each shape as the meta-step has, on inputs that are ready in memory: nothing is cut into
patches, normalised or added. Each by the faster of two implementations, chosen at the start:
TensorFlow's own convolution (oneDNN's on CPUs), or a matrix product of patches. The cores share the
tasks, one product after the other. No meta-step that computes these products by these libraries can
be faster.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import tensorflow as tf

from benchmarks.meta_step import problem
from benchmarks.meta_step.worker import serve

REPEATS = 20
"""Products of each shape that are timed, to choose the faster implementation."""
Product = Callable[[], tf.Tensor]


class Shape(NamedTuple):
    """A product of a layer.

    Attributes:
      kind: "forward", "by_input" or "by_kernel" (the gradients by the input and by the kernel).
      images: number of images.
      size: height and width of the layer's input, in pixels.
      channels: channels of the layer's input.
      filters: channels of its output.
      stride: 1 or 2.
    """

    kind: str
    images: int
    size: int
    channels: int
    filters: int
    stride: int


def products_of_task(case: problem.Case) -> Counter[Shape]:
    """Counts the products of one task by shape.

    They are those of `problem.flop_per_task` without the dense layer's.
    """
    counts: Counter[Shape] = Counter()
    support, query = problem.WAYS * problem.SHOTS, problem.WAYS * case.queries
    for number, layer in enumerate(case.layers):
        first = number == 0
        for kind in ("forward", "by_kernel") if first else ("forward", "by_kernel", "by_input"):
            in_support = (2 if first else 3) * case.inner_steps
            of_layer = layer.size, layer.channels, case.filters, case.stride
            counts[Shape(kind, support, *of_layer)] += in_support
            counts[Shape(kind, query, *of_layer)] += 1
    return counts


def implementations(shape: Shape) -> list[Product]:
    """Returns the product as TensorFlow's convolution, and as a matrix product of patches."""
    kind, images, size, channels, filters, stride = shape
    out = -(-size // stride)
    x = tf.random.normal([images, size, size, channels])
    kernel = tf.random.normal([3, 3, channels, filters])
    y = tf.random.normal([images, out, out, filters])
    patches = tf.random.normal([images * out * out, 9 * channels])
    matrix, rows = tf.reshape(kernel, [9 * channels, filters]), tf.reshape(y, [-1, filters])
    strides = [1, stride, stride, 1]
    raw = tf.raw_ops
    if kind == "forward":
        return [
            lambda: tf.nn.conv2d(x, kernel, strides, "SAME"),
            lambda: tf.matmul(patches, matrix),
        ]
    if kind == "by_input":
        return [
            lambda: raw.Conv2DBackpropInput(
                input_sizes=x.shape, filter=kernel, out_backprop=y, strides=strides, padding="SAME"
            ),
            lambda: tf.matmul(rows, matrix, transpose_b=True),
        ]
    return [
        lambda: raw.Conv2DBackpropFilter(
            input=x, filter_sizes=kernel.shape, out_backprop=y, strides=strides, padding="SAME"
        ),
        lambda: tf.matmul(patches, rows, transpose_a=True),
    ]


def compute_in_order(products: Iterable[Product]) -> tf.Tensor:
    """Computes all products in this order; returns one number of the last one."""
    before: list[tf.Tensor] = []
    for product in products:
        with tf.control_dependencies(before):  # also keeps equal ones from being merged
            before = [product()]
    return tf.reshape(before[0], [-1])[0]


def fastest(products: list[Product]) -> Product:
    """Returns the product that takes the least time, repeated on one core."""

    def seconds(product: Product) -> float:
        repeated = tf.function(lambda: compute_in_order([product] * REPEATS))
        durations = []
        for _ in range(4):  # the first one compiles
            started = time.perf_counter()
            float(repeated())
            durations.append(time.perf_counter() - started)
        return min(durations)

    return min(products, key=seconds)


def main(case: problem.Case) -> None:
    """Answers the driver with the floor of one case."""
    cores = os.cpu_count() or 1
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    # It would drop products whose results are not used.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    of_task = [
        product
        for shape, count in products_of_task(case).items()
        for product in [fastest(implementations(shape))] * count
    ]
    share = [
        of_task * len(range(core, case.episodes, cores))
        for core in range(min(cores, case.episodes))
    ]

    @tf.function
    def step() -> tf.Tensor:
        return tf.add_n([compute_in_order(products) for products in share])

    serve(lambda outer: float(step()), dict, {"tensorflow": tf.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
