"""Sinusoids, the regression tasks of the MAML paper.

    y = A sin(x + phi),   A in [0.1, 5], phi in [0, pi], x in [-5, 5], all uniform

References:
  Finn, Abbeel, Levine 2017, "Model-Agnostic Meta-Learning", arXiv 1703.03400, section 5.1.
"""

from collections.abc import Iterator

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import Source
from components.episode_gen.sources.generated import GeneratedTasks
from components.modalities.base import ExampleSpec

SPEC = ExampleSpec("vector", "float32", (1,), target_shape=(1,))
AMPLITUDES, PHASES, INPUTS = (0.1, 5.0), (0.0, np.pi), (-5.0, 5.0)


def open_source(data: DataOptions) -> Source:
    """Opens a source of `data.tasks` sinusoids of `data.examples_per_task` points each."""
    return GeneratedTasks("sinusoid", version=1, spec=SPEC, draw=draw_sinusoid, data=data)


def draw_sinusoid(
    rng: np.random.RandomState, points: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draws one sinusoid and points (x `[1]`, y `[1]`) of it."""
    amplitude, phase = rng.uniform(*AMPLITUDES), rng.uniform(*PHASES)
    for x in rng.uniform(*INPUTS, size=(points, 1)):
        yield x, amplitude * np.sin(x + phase)
