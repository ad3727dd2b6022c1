"""The network in PyTorch, channels first, for the implementations that use it."""

import numpy as np
import torch
from torch.func import grad
from torch.nn import functional as F

from benchmarks.meta_step import problem


def as_torch(weights):
    """Converts weights to PyTorch: kernels `[3, 3, C, F]` become `[F, C, 3, 3]`."""
    return {
        name: torch.tensor(value.transpose(3, 2, 0, 1).copy() if value.ndim == 4 else value)
        for name, value in weights.items()
    }


def as_numpy(w):
    """Converts weights back to NumPy arrays, as a copy."""
    arrays = {name: value.detach().numpy().copy() for name, value in w.items()}
    return {n: a.transpose(2, 3, 1, 0) if a.ndim == 4 else a for n, a in arrays.items()}


def episodes_as_torch(case: problem.Case):
    """Makes the episodes as PyTorch tensors, channels first."""
    support_x, support_y, query_x, query_y = problem.episodes(case)
    images = [torch.tensor(np.moveaxis(x, -1, 2).copy()) for x in (support_x, query_x)]
    labels = [torch.tensor(y.astype(np.int64)) for y in (support_y, query_y)]
    return images[0], labels[0], images[1], labels[1]


def loss_of(case: problem.Case, w, x, y):
    """Computes the mean cross-entropy."""
    for block in range(1, problem.BLOCKS + 1):
        size, stride = x.shape[-1], case.stride
        total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        before, after = total // 2, total - total // 2
        x = F.pad(x, (before, after, before, after)) if before != after else x
        padding = before if before == after else 0
        x = F.conv2d(x, w[f"conv{block}_kernel"], stride=stride, padding=padding)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
        offset = w[f"conv{block}_offset"][None, :, None, None]
        x = F.relu((x - mean) * torch.rsqrt(variance + problem.EPSILON) + offset)
        x = F.max_pool2d(x, 2) if case.max_pool else x
    # Flattened as the others: channels last.
    x = x.permute(0, 2, 3, 1).flatten(1) if case.max_pool else x.mean((2, 3))
    return F.cross_entropy(x @ w["head_kernel"] + w["head_bias"], y)


def meta_loss(case: problem.Case, w, support_x, support_y, query_x, query_y):
    """Computes the query loss of one task after the inner steps."""
    for _ in range(case.inner_steps):
        g = grad(lambda w: loss_of(case, w, support_x, support_y))(w)
        rate = case.inner_learning_rate
        w = {n: v - rate * g[n] if problem.adapted(n) else v for n, v in w.items()}
    return loss_of(case, w, query_x, query_y)


def adam(w):
    """Makes a function that takes gradients by name and updates `w` in place."""
    first = {n: torch.zeros_like(v) for n, v in w.items()}
    second = {n: torch.zeros_like(v) for n, v in w.items()}
    number = 0

    @torch.no_grad()
    def update(gradients, outer: problem.Outer) -> None:
        nonlocal number
        number += 1
        b1, b2 = problem.BETA_1, problem.BETA_2
        rate = outer.rate * (1 - b2**number) ** 0.5 / (1 - b1**number)
        for n, g in gradients.items():
            first[n] = b1 * first[n] + (1 - b1) * g
            second[n] = b2 * second[n] + (1 - b2) * g * g
            w[n] -= rate * first[n] / (second[n].sqrt() + outer.epsilon)

    return update
