"""Meta-training without TFX, in a notebook: arrays in, a model that adapts out.

    model = fit({"cat": cats, "dog": dogs, ...}, ways=5, learner={"name": "protonet"})
    probabilities = model.predict(support_x, support_y, query_x)

There is no validation, no checkpoint and no evaluation here: the pipeline has them.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.augmentation.episodes import permute_labels
from components.meta_trainer.build import Assembly, assemble_for
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.start import fit_to_texts, initial_weights
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.training.step import meta_step
from components.modalities.arrays import example_spec
from components.options import build_options
from serving.errors import UserError

Classes = Mapping[str, Sequence[Any] | np.ndarray]
"""Examples by class: each an array `[n, ...]` or a list of texts."""


class Fitted(NamedTuple):
    """A meta-trained model, and the query loss `[steps]` of each meta-step.

    `export.saved_model.export` writes the assembly (learner, modality and task) with the weights.
    """

    assembly: Assembly
    weights: dict[str, Any]
    losses: np.ndarray

    def predict(self, support_x: Any, support_y: Any, query_x: Any) -> np.ndarray:
        """Adapts to one support set and predicts its queries.

        `support_x` `[S, ...]` and `query_x` `[Q, ...]` are examples as in training; `support_y` are
        labels `[S]`, 0..N-1, or float targets `[S, ...]`. Gives probabilities `[Q, N]`, or targets
        `[Q, ...]`.
        """
        _, learner, modality, task = self.assembly
        x, query_x = (modality.prepare(_array(values)[None]) for values in (support_x, query_x))
        y = tf.constant(_array(support_y)[None], task.label_dtype)
        support = Support(x, task.prepare_labels(y))
        adapted = learner.adapt(self.weights, support)
        outputs = learner.predict(self.weights, adapted, tf.constant(query_x))
        return task.predict(outputs, support.y).numpy()[0]


def fit(
    data: Classes | Episodes,
    *,
    learner: Mapping[str, Any] | None = None,
    ways: int = 5,
    shots: int = 1,
    queries: int = 3,
    steps: int = 200,
    episodes_per_step: int = 16,
    seed: int = 0,
    **training: Any,
) -> Fitted:
    """Meta-trains a learner on arrays.

    `data` holds examples by class, from which episodes of `ways` classes with `shots` support and
    `queries` query examples each are drawn; or it is `Episodes` of arrays `[E, ...]`, for which
    these three are not used. uint8 arrays `[n, side, side, 1 or 3]` are images, strings texts, and
    float arrays vectors (of any shape that the backbone takes). `learner` is the section `learner`
    of a configuration: name, options, backbone; MAML if `None`. `seed` is that of the initial
    weights and of all that is drawn, and `training` holds further keys of the section `training`,
    such as `meta_learning_rate`.

    Raises:
      UserError: the data cannot make such episodes, or an option is wrong.
    """
    values = {"steps": steps, "episodes_per_step": episodes_per_step, "seed": seed} | training
    options = build_options(TrainingOptions, values, "training")
    if isinstance(data, Episodes):
        episodes = Episodes(*(_array(part) for part in data))
        classes = episodes.support_y.dtype.kind == "i"
        ways = int(episodes.support_y.max()) + 1 if classes else 1
        spec = example_spec(episodes.support_x[0], None if classes else episodes.support_y[0])
        stacks, examples = _vary_stacks(episodes, ways, options), episodes.support_x
    else:
        arrays = _check_classes(data, ways, shots + queries)
        spec = example_spec(next(iter(arrays.values())))
        stacks = _draw_stacks(arrays, ways, shots, queries, options)
        examples = np.concatenate(list(arrays.values()))
    assembly = assemble_for(spec, ways, learner or {"name": "maml"})
    initial, taken = initial_weights(assembly, seed, options.start_from)
    if not taken:
        initial = fit_to_texts(assembly, initial, lambda: examples.ravel().tolist())
    state = TrainingState(initial)
    step = meta_step(assembly, options, state)
    steps = options.steps if tf.nest.flatten(state.read_weights()) else 0
    losses = [float(step(stack)[0]) for stack in itertools.islice(stacks, steps)]
    return Fitted(assembly, state.read_weights(), np.array(losses))


def _array(values: Any) -> np.ndarray:
    """Labels as int32, other numbers but uint8 as float32, texts as they are."""
    array = np.asarray(values)
    kind = {"i": np.int32, "u": np.uint8, "f": np.float32}.get(array.dtype.kind)
    return array if kind is None else array.astype(kind)


def _check_classes(data: Classes, ways: int, examples: int) -> dict[str, np.ndarray]:
    """The classes as arrays, if they are enough for an episode."""
    few = sorted(name for name, values in data.items() if len(values) < examples)
    if len(data) < ways or few:
        raise UserError(
            f"An episode must have {ways} classes of {examples} examples: got {len(data)} classes"
            + (f", of which {', '.join(map(repr, few[:3]))} have fewer." if few else ".")
        )
    return {name: _array(values) for name, values in data.items()}


def _draw_stacks(
    classes: Mapping[str, np.ndarray], ways: int, shots: int, queries: int, options: TrainingOptions
) -> Iterator[Episodes]:
    """Endless stacks of episodes, each of other classes and examples."""
    rng, arrays = np.random.default_rng(options.seed), list(classes.values())

    def draw() -> list[np.ndarray]:
        """Examples and labels of one episode: support_x, support_y, query_x, query_y."""
        chosen = rng.choice(len(arrays), ways, replace=False)
        x = [rng.permutation(arrays[i])[: shots + queries] for i in chosen]
        sides = ([c[:shots] for c in x], [c[shots:] for c in x])
        labels = (np.repeat(np.arange(ways, dtype=np.int32), n) for n in (shots, queries))
        return [part for side, y in zip(sides, labels) for part in (np.concatenate(side), y)]

    while True:
        episodes = [draw() for _ in range(options.episodes_per_step)]
        yield Episodes(*(tf.constant(np.stack(part)) for part in zip(*episodes)))


def _vary_stacks(episodes: Episodes, ways: int, options: TrainingOptions) -> Iterator[Episodes]:
    """Endless stacks of some of the episodes, their labels permuted each time."""
    rng, count = np.random.default_rng(options.seed), len(episodes.support_y)
    while True:
        chosen = rng.choice(count, options.episodes_per_step)
        stack = Episodes(*(tf.constant(part[chosen]) for part in episodes))
        if stack.support_y.dtype.is_integer:
            stack = permute_labels(stack, ways, tf.constant(rng.integers(2**31, size=2)))
        yield stack
