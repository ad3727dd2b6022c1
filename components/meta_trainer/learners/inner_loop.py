"""The inner loop that the MAML family shares: gradient descent on the support set.

    theta'_0 = theta,   theta'_{k+1} = theta'_k - alpha_k * grad L_S(theta'_k)

(Finn et al. 2017, eq. 1), for all episodes at once: every fast weight is `[E, ...]`, and one
episode's loss depends on its own weights alone, so the gradient of the summed loss is each one's.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.learners import base
from components.meta_trainer.learners.heads import HeadStart, head_start
from components.meta_trainer.learners.prototypes import count_ways
from components.meta_trainer.learners.repeat import Step, record_path, repeat
from components.meta_trainer.network import HeadKind, Network
from components.meta_trainer.types import Weights, merge, stack_for_episodes
from components.options import options_class
from components.tasks.task import Task


@options_class
class HeadOptions:
    """Options of learners that adapt the network's linear head."""

    head: HeadKind = "prototypes"
    """Where the head starts in each episode. `prototypes`: at the mean features of each class, so
    that any number of classes is served, in any order. `numbered`: with meta-learned weights for
    each class number, for up to as many ways as trained, as in the papers; predictions depend on
    the numbers. Float targets have no classes: their head is always `numbered`."""


@options_class
class StepOptions:
    """Options of learners that take steps on the support set."""

    inner_steps: int = Field(default=1, ge=0)
    """Steps on the support set in meta-training."""
    test_steps: int | None = Field(default=None, ge=0)
    """Steps when served and evaluated; as many as in meta-training if null."""


@options_class
class InnerLoopOptions(StepOptions):
    """Options of learners whose steps descend at a configured learning rate."""

    inner_learning_rate: float = Field(default=0.4, gt=0)
    """alpha, for the mean loss over the support set; where it is learned, its first value."""


class InnerLoop(NamedTuple):
    """What differs between the members of the family.

    Attributes:
      network: the network that is adapted.
      task: gives the support loss.
      start: `(weights, support) -> ` theta'_0, the fast weights, each `[E, ...]`.
      learning_rates: `(weights, step number) -> ` alpha: a number, or a nest as the fast weights
        of scalars or tensors of the weight's shape.
    """

    network: Network
    task: Task
    start: Callable[[Weights, Support], dict[str, Any]]
    learning_rates: Callable[[Weights, tf.Tensor], Weights | float]


class Adaptation(NamedTuple):
    """How a stack of support sets is adapted to, step by step.

    Attributes:
      state: the state before any step, a nest of tensors `[E, ...]`.
      step: one step, as `repeat` takes it.
      finish: `state -> ` adapted weights, all that `predict` needs of the support set.
    """

    state: dict[str, Any]
    step: Step
    finish: Callable[[dict[str, Any]], dict[str, Any]]

    def run(self, steps: int) -> dict[str, Any]:
        """The adapted weights after so many steps."""
        return self.finish(repeat(self.step, self.state, steps))


Plan = Callable[[Weights, Support], Adaptation]


def stepwise_learner(
    network: Network,
    task: Task,
    *,
    init: Callable[[int], dict[str, Any]],
    plan: Plan,
    options: StepOptions,
    head: HeadStart | None = None,
    meta_gradients: base.GradientFunction | None = None,
    **traits: Any,
) -> base.Learner:
    """A learner that takes steps on the support set, as its plan has it.

    Plans get weights whose head is that of each episode, `[E, ...]`, as `head` starts it (the
    network's own if `None`). `meta_gradients` replaces the gradient of the query loss after the
    last step. `traits` are fields of `Traits`, beside `serves`.
    """
    inner_steps, test_steps = options.inner_steps, options.test_steps
    served_steps = inner_steps if test_steps is None else test_steps

    traits.setdefault("fixed_ways", network.fixed_ways)
    traits["starts_from_support"] = head is not None or not network.fixed_ways
    start = head or head_start(network, task)

    def plan_with(ways: int | tf.Tensor, weights: Weights, support: Support) -> Adaptation:
        return plan({**weights, "head": start(weights, support, ways)}, support)

    def served_plan(weights: Weights, support: Support) -> Adaptation:
        ways = network.outputs if traits["fixed_ways"] else count_ways(support.y)
        return plan_with(ways, weights, support)

    def adapt(weights: Weights, support: Support) -> dict[str, Any]:
        return served_plan(weights, support).run(served_steps)

    def adapt_in_training(weights: Weights, support: Support) -> dict[str, Any]:
        # The ways of meta-training are known, and XLA needs static shapes.
        return plan_with(network.outputs, weights, support).run(inner_steps)

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        state, step, finish = served_plan(weights, support)
        return record_path(
            step, state, served_steps, lambda state: predict(weights, finish(state), query_x)
        )

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        return network_outputs(network, weights, adapted, query_x)

    serves = base.ServingLimits(
        ways=f"up to {network.outputs}, as trained" if traits["fixed_ways"] else "any number",
        shots="any number, also uneven",
        steps=f"{served_steps}, fixed at export (trained with {inner_steps})",
    )
    return base.Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=meta_gradients or base.query_gradients(adapt_in_training, predict, task),
        path=path,
        network=network,
        traits=base.Traits(serves, **traits),
    )


def gradient_descent(loop: InnerLoop, *, first_order: bool = False) -> Plan:
    """The plan of the MAML family; for `first_order` see `inner_step`."""

    def plan(weights: Weights, support: Support) -> Adaptation:
        def finish(fast: dict[str, Any]) -> dict[str, Any]:
            return add_statistics(loop.network, loop.task, weights, fast, support)

        step = inner_step(loop, weights, support, first_order=first_order)
        return Adaptation(loop.start(weights, support), step, finish)

    return plan


def inner_step(
    loop: InnerLoop, weights: Weights, support: Support, *, first_order: bool | tf.Tensor = False
) -> Step:
    """One step of descent on the support loss, as `repeat` takes it.

    `first_order` treats the inner gradients as constants, as FOMAML does; it is a bool scalar where
    that changes in meta-training.
    """

    def step(number: tf.Tensor, fast: dict[str, Any]) -> dict[str, Any]:
        gradients, _ = support_gradients(loop.network, loop.task, weights, fast, support)
        gradients = tf.nest.map_structure(lambda g: constant_if(first_order, g), gradients)
        return descend(fast, gradients, loop.learning_rates(weights, number))

    return step


def descend(fast: Weights, gradients: Weights, rates: Weights | float) -> dict[str, Any]:
    """Returns theta' - alpha * gradient; `rates` is one number or a nest as `fast`."""
    if not isinstance(rates, Mapping):
        rates = tf.nest.map_structure(lambda _: rates, fast)
    return tf.nest.map_structure(lambda w, a, g: w - a * g, fast, rates, gradients)


def constant_if(first_order: bool | tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """The gradient, as a constant for differentiation where `first_order` is true."""
    constant = tf.stop_gradient(gradient)
    if isinstance(first_order, bool):
        return constant if first_order else gradient
    return constant + tf.cast(~first_order, gradient.dtype) * (gradient - constant)


def support_gradients(
    network: Network, task: Task, weights: Weights, fast: Weights, support: Support
) -> tuple[dict[str, Any], tf.Tensor]:
    """The gradient of each episode's support loss by its fast weights, and that loss `[E]`.

    `weights` holds what is not adapted. The loss is the mean over the support examples (MAML's
    published code sums over ways: its rates are smaller by that factor).
    """
    fast = dict(fast)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(fast)
        outputs, _ = network.forward(merge(weights, fast), support.x, task.mask(support.y))
        losses = task.loss(outputs, support.y, support.y)
    return tape.gradient(losses, fast, unconnected_gradients="zero"), losses


def adaptable(network: Network, weights: Weights) -> dict[str, Any]:
    """Body and head but the weights of normalisation, which Finn et al. do not adapt.

    A head that starts at prototypes is that of one class, of zeros: what is learned for it, such as
    rates, is shared by all classes.
    """
    frozen = network.backbone.frozen_names
    body = {name: w for name, w in weights["body"].items() if name not in frozen}
    if network.fixed_ways:
        return {"body": body, "head": dict(weights["head"])}
    kernel = tf.zeros([network.backbone.feature_size, 1])
    return {"body": body, "head": {"kernel": kernel, "bias": tf.zeros([1])}}


def start_adaptable(network: Network) -> Callable[[Weights, Support], dict[str, Any]]:
    """theta'_0 of MAML: the adaptable weights, once for each episode."""

    def start(weights: Weights, support: Support) -> dict[str, Any]:
        body = {"body": adaptable(network, weights)["body"]}
        return stack_for_episodes(body, shape_of(support.x)[0]) | {"head": dict(weights["head"])}

    return start


def add_statistics(
    network: Network, task: Task, weights: Weights, fast: Weights, support: Support
) -> dict[str, Any]:
    """`fast` and the support set's statistics of normalisation under these weights."""
    _, statistics = network.features(merge(weights, fast), support.x, task.mask(support.y))
    return dict(fast) | {"statistics": statistics}


def network_outputs(
    network: Network, weights: Weights, adapted: Weights, query_x: tf.Tensor
) -> tf.Tensor:
    """Outputs `[E, Q, N]` of the network with adapted weights and statistics."""
    return network.forward(merge(weights, adapted), query_x, statistics=adapted["statistics"])[0]
