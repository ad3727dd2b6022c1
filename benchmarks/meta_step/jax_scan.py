"""JAX at its best on a CPU: tasks divided over a device for each core, and scanned there.

Each device has a program of its own, started without waiting for the other. (With `pmap`, the
devices waited for each other's threads: some steps took seconds, and some runs never ended.)
"""

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
    devices = jax.devices()[: math.gcd(case.episodes, CORES)]

    @jax.jit
    def share_of_mean(w, episodes):
        def add(total, episode):
            found = jax.value_and_grad(lambda w: meta_loss(case, w, *episode))(w)
            return jax.tree.map(jnp.add, total, found), None

        zero = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, w))
        total, _ = jax.lax.scan(add, zero, episodes)
        return jax.tree.map(lambda x: x / case.episodes, total)

    @jax.jit
    def add_up(parts):
        return jax.tree.map(lambda *shares: sum(shares), *parts)

    def of_devices(w, episodes):
        parts = [
            share_of_mean(jax.device_put(w, device), of_device)
            for device, of_device in zip(devices, episodes)
        ]
        return add_up(jax.device_put(parts, devices[0]))

    def place(episodes):
        parts = [x.reshape(len(devices), -1, *x.shape[1:]) for x in episodes]
        return [
            jax.device_put(tuple(part[number] for part in parts), device)
            for number, device in enumerate(devices)
        ]

    run(case, of_devices, place)


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
