"""PyTorch with the library higher (Grefenstette et al. 2019): one episode after the other."""

import sys

import higher
import torch

from benchmarks.meta_step import problem
from benchmarks.meta_step.torch_network import adam, as_numpy, as_torch, episodes_as_torch, loss_of
from benchmarks.meta_step.worker import serve


class Conv4(torch.nn.Module):
    """A module that holds the weights and returns the loss, because higher patches modules."""

    def __init__(self, case, weights):
        super().__init__()
        self.case = case
        self.names = list(weights)
        for name, value in weights.items():
            self.register_parameter(name, torch.nn.Parameter(value))

    def forward(self, x, y):
        """Computes the mean cross-entropy."""
        return loss_of(self.case, {name: getattr(self, name) for name in self.names}, x, y)


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""
    module = Conv4(case, as_torch(problem.weights(case)))
    parameters = dict(module.named_parameters())
    inner = torch.optim.SGD(
        [
            {"params": [p for n, p in parameters.items() if problem.adapted(n)]},
            {"params": [p for n, p in parameters.items() if not problem.adapted(n)], "lr": 0.0},
        ],
        lr=case.inner_learning_rate,
    )
    update = adam({name: p.data for name, p in parameters.items()})
    episodes = episodes_as_torch(case)

    def take(outer: problem.Outer) -> float:
        module.zero_grad()
        total = 0.0
        for support_x, support_y, query_x, query_y in zip(*episodes):
            with higher.innerloop_ctx(module, inner, copy_initial_weights=False) as (fast, descend):
                for _ in range(case.inner_steps):
                    descend.step(fast(support_x, support_y))
                loss = fast(query_x, query_y) / case.episodes
                loss.backward()
                total += float(loss)
        update({name: p.grad for name, p in parameters.items()}, outer)
        return total

    serve(take, lambda: as_numpy(parameters), {"torch": torch.__version__, "higher": "0.2.1"})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
