"""PyTorch at its best on a CPU: a process for each core, of one thread, takes a share of the tasks.

Weights and sums of gradients lie in shared memory. In each process the tasks go one after the other
or by `vmap`, whichever is faster in its first steps.
"""

import sys
import time

import torch
import torch.multiprocessing as mp
from torch.func import grad_and_value

from benchmarks.meta_step import problem
from benchmarks.meta_step.torch_network import (
    adam,
    as_numpy,
    as_torch,
    episodes_as_torch,
    meta_loss,
)
from benchmarks.meta_step.torch_vmap import mean_loss
from benchmarks.meta_step.worker import serve

TRIALS = 2
"""Steps in which each way is timed, after one that does not count."""


def one_by_one(case, w, episodes):
    """Returns loss and gradients, each a sum over the tasks."""
    total, gradients = 0.0, {name: torch.zeros_like(value) for name, value in w.items()}
    for episode in zip(*episodes):
        g, loss = grad_and_value(lambda w: meta_loss(case, w, *episode))(w)  # noqa: B023
        total += float(loss)
        for name, value in g.items():
            gradients[name] += value
    return total, gradients


def by_vmap(case, w, episodes):
    """Returns the same by `vmap`."""
    count = len(episodes[0])
    g, loss = grad_and_value(lambda w: mean_loss(case, w, episodes))(w)
    return count * float(loss), {name: count * value for name, value in g.items()}


def faster(case, w, episodes):
    """Returns the way that takes the least time here."""

    def seconds(way):
        way(case, w, episodes)
        started = time.perf_counter()
        for _ in range(TRIALS):
            way(case, w, episodes)
        return time.perf_counter() - started

    return min((one_by_one, by_vmap), key=seconds)


def work(case: problem.Case, share: slice, w, sums, go, done) -> None:
    """Adds up a share of the tasks whenever asked; `sums` holds the gradients and the loss."""
    torch.set_num_threads(1)
    episodes = tuple(part[share] for part in episodes_as_torch(case))
    way = faster(case, w, episodes)
    done.release()
    while True:
        go.acquire()
        loss, gradients = way(case, w, episodes)
        for name, value in gradients.items():
            sums[name].copy_(value)
        sums["loss"].fill_(loss)
        done.release()


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""
    torch.set_num_threads(1)
    cores = min(mp.cpu_count(), case.episodes)
    w = {name: value.share_memory_() for name, value in as_torch(problem.weights(case)).items()}
    context = mp.get_context("spawn")
    done, starts, of_cores = context.Semaphore(0), [], []
    for core in range(cores):
        sums = {name: torch.zeros_like(value) for name, value in w.items()}
        sums["loss"] = torch.zeros(())
        sums = {name: value.share_memory_() for name, value in sums.items()}
        go = context.Semaphore(0)
        share = slice(core, None, cores)
        arguments = (case, share, w, sums, go, done)
        context.Process(target=work, args=arguments, daemon=True).start()
        starts.append(go)
        of_cores.append(sums)
    for _ in range(cores):
        done.acquire()
    update = adam(w)

    def take(outer: problem.Outer) -> float:
        for go in starts:
            go.release()
        for _ in starts:
            done.acquire()
        mean = {name: sum(sums[name] for sums in of_cores) / case.episodes for name in of_cores[0]}
        loss = float(mean.pop("loss"))
        update(mean, outer)
        return loss

    serve(take, lambda: as_numpy(w), {"torch": torch.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
