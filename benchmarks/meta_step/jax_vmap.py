"""JAX as it comes: `vmap` over tasks and `jit`."""

import sys

import jax

from benchmarks.meta_step import problem
from benchmarks.meta_step.jax_network import meta_loss, run


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""

    @jax.jit
    @jax.value_and_grad
    def mean_loss(w, episodes):
        return jax.vmap(lambda *episode: meta_loss(case, w, *episode))(*episodes).mean()

    run(case, mean_loss)


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
