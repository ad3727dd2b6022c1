"""JAX at its best on a CPU: tasks divided over a device for each core, and scanned there."""

import math
import os
import sys

CORES = os.cpu_count() or 1
# Read when JAX starts.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={CORES}"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from benchmarks.meta_step import problem  # noqa: E402
from benchmarks.meta_step.jax_network import meta_loss, run  # noqa: E402


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""
    devices = math.gcd(case.episodes, CORES)

    def summed(w, episodes):
        def add(total, episode):
            found = jax.value_and_grad(lambda w: meta_loss(case, w, *episode))(w)
            return jax.tree.map(jnp.add, total, found), None

        zero = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, w))
        total, _ = jax.lax.scan(add, zero, episodes)
        count = case.episodes // devices
        return jax.lax.pmean(jax.tree.map(lambda x: x / count, total), "device")

    of_devices = jax.pmap(summed, "device", in_axes=(None, 0), out_axes=None, devices=None)

    def place(episodes):
        return tuple(x.reshape(devices, -1, *x.shape[1:]) for x in episodes)

    run(case, of_devices, place)


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
