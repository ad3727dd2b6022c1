"""PyTorch as it comes: `torch.func`, vmap over tasks of a loss that takes gradients itself."""

import sys

import torch
from torch.func import grad_and_value, vmap

from benchmarks.meta_step import problem
from benchmarks.meta_step.torch_network import (
    adam,
    as_numpy,
    as_torch,
    episodes_as_torch,
    meta_loss,
)
from benchmarks.meta_step.worker import serve


def mean_loss(case: problem.Case, w, episodes):
    """Computes the mean of the tasks' query losses."""
    return vmap(lambda *episode: meta_loss(case, w, *episode))(*episodes).mean()


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""
    w = as_torch(problem.weights(case))
    update = adam(w)
    episodes = episodes_as_torch(case)

    def take(outer: problem.Outer) -> float:
        gradients, loss = grad_and_value(lambda w: mean_loss(case, w, episodes))(w)
        update(gradients, outer)
        return float(loss)

    serve(take, lambda: as_numpy(w), {"torch": torch.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
