"""The floor: the products that second-order MAML cannot do without, and nothing else.

As many of each shape as the meta-step has, on inputs that lie ready: nothing is cut into patches,
normalised, added or written down. Each in the faster of two ways, found at the start: TensorFlow's
own convolution (oneDNN's on CPUs), or a matrix product of patches. The cores share the tasks, one
product after the other. No meta-step that computes these products by these libraries is faster.
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
"""Of each shape, to find the faster way."""
Product = Callable[[], tf.Tensor]


class Shape(NamedTuple):
    """A product of a layer: `kind` is "forward", "by_input" or "by_kernel"."""

    kind: str
    images: int
    size: int
    channels: int


def products_of_task(case: problem.Case) -> Counter[Shape]:
    """How many of each: `problem.flop_per_task`, product by product, but for the dense layer."""
    found: Counter[Shape] = Counter()
    support, query = problem.WAYS * problem.SHOTS, problem.WAYS * case.queries
    size, channels = problem.SIZE, 1
    for _ in range(problem.BLOCKS):
        first = channels == 1
        for kind in ("forward", "by_kernel") if first else ("forward", "by_kernel", "by_input"):
            in_support = (2 if first else 3) * case.inner_steps
            found[Shape(kind, support, size, channels)] += in_support
            found[Shape(kind, query, size, channels)] += 1
        size, channels = -(-size // 2), problem.FILTERS
    return found


def ways(shape: Shape) -> list[Product]:
    """By TensorFlow's convolution, and by a matrix product of patches."""
    kind, images, size, channels = shape
    out, filters = -(-size // 2), problem.FILTERS
    x = tf.random.normal([images, size, size, channels])
    kernel = tf.random.normal([3, 3, channels, filters])
    y = tf.random.normal([images, out, out, filters])
    patches = tf.random.normal([images * out * out, 9 * channels])
    matrix, rows = tf.reshape(kernel, [9 * channels, filters]), tf.reshape(y, [-1, filters])
    strides = [1, 2, 2, 1]
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


def one_after_the_other(products: Iterable[Product]) -> tf.Tensor:
    """Computes all in this order; the last one's result, as a scalar."""
    before: list[tf.Tensor] = []
    for product in products:
        with tf.control_dependencies(before):  # also keeps equal ones from being merged
            before = [product()]
    return tf.reshape(before[0], [-1])[0]


def fastest(products: list[Product]) -> Product:
    """The one that takes the least time, repeated on one core."""

    def seconds(product: Product) -> float:
        repeated = tf.function(lambda: one_after_the_other([product] * REPEATS))
        taken = []
        for _ in range(4):  # the first one compiles
            started = time.perf_counter()
            float(repeated())
            taken.append(time.perf_counter() - started)
        return min(taken)

    return min(products, key=seconds)


def main(case: problem.Case) -> None:
    cores = os.cpu_count() or 1
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    # It would drop products that nobody looks at.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    of_task = [
        product
        for shape, count in products_of_task(case).items()
        for product in [fastest(ways(shape))] * count
    ]
    share = [
        of_task * len(range(core, case.episodes, cores))
        for core in range(min(cores, case.episodes))
    ]

    @tf.function
    def step() -> tf.Tensor:
        return tf.add_n([one_after_the_other(products) for products in share])

    serve(lambda outer: float(step()), dict, {"tensorflow": tf.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
