"""PyTorch: `torch.func`, vmap over episodes of a loss that takes gradients itself."""

import sys

import torch
from torch.func import grad, grad_and_value, vmap

from benchmarks.meta_step import problem
from benchmarks.meta_step.torch_network import adam, as_numpy, as_torch, episodes_as_torch, loss_of
from benchmarks.meta_step.worker import serve


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""

    def meta_loss(w, support_x, support_y, query_x, query_y):
        for _ in range(case.inner_steps):
            g = grad(loss_of)(w, support_x, support_y)
            rate = problem.INNER_LEARNING_RATE
            w = {n: v - rate * g[n] if problem.adapted(n) else v for n, v in w.items()}
        return loss_of(w, query_x, query_y)

    def mean_loss(w, episodes):
        return vmap(lambda *e: meta_loss(w, *e))(*episodes).mean()

    w = as_torch(problem.weights())
    update = adam(w)
    episodes = episodes_as_torch(case)

    def take(outer: problem.Outer) -> float:
        gradients, loss = grad_and_value(mean_loss)(w, episodes)
        update(gradients, outer)
        return float(loss)

    serve(take, lambda: as_numpy(w), {"torch": torch.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
