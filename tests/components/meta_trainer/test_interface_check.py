"""Each mistake of a new learner is one sentence before it trains."""

import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.interface_check import check_learner
from components.meta_trainer.learners.base import Learner
from components.modalities.base import ExampleSpec
from serving.errors import UserError

CONFIG = {"data": {}}
IMAGES = EpisodeSetRecord(
    1, ExampleSpec("image", "uint8", (8, 8, 1)), 3, 1, 2, {}, 0, {}, {}, CONFIG
)
OTHERS = {
    "text": ExampleSpec("text", "string", ()),
    "vector": ExampleSpec("vector", "float32", (4,)),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=8000),
    "regression": ExampleSpec("vector", "float32", (1,), target_shape=(2,)),
    "image to image": ExampleSpec("image", "uint8", (8, 8, 1), target_shape=(8, 8, 1)),
}


def with_learner(change, head: str = "numbered") -> Assembly:
    """ANIL, with some of its functions replaced."""
    section = {"name": "anil", "head": head, "backbone": {"filters": 4, "blocks": 1}}
    assembly = assemble(IMAGES, section)
    return assembly._replace(learner=change(assembly.learner))


def message_of(change, head: str = "numbered") -> str:
    with pytest.raises(UserError) as error:
        check_learner(with_learner(change, head), IMAGES)
    message = str(error.value)
    assert message.count("\n") == 0 and "learner 'anil'" in message
    return message


def test_a_learner_that_keeps_to_it_passes():
    check_learner(with_learner(lambda learner: learner), IMAGES)


@pytest.mark.parametrize("kind", OTHERS)
def test_so_it_does_for_every_kind_of_example(kind):
    spec = OTHERS[kind]
    ways = 1 if spec.regression else 3
    record = EpisodeSetRecord(1, spec, ways, 4, 2, {}, 0, {}, {}, CONFIG)
    check_learner(assemble(record, {"name": "maml"}), record)


def test_outputs_of_a_wrong_shape():
    def transposed(learner: Learner) -> Learner:
        return learner._replace(
            predict=lambda *args: tf.transpose(learner.predict(*args), [0, 2, 1])
        )

    assert "must give outputs [E, Q, N] = [2, 6, 3]; it gave [2, 3, 6]" in message_of(transposed)
    assert "= [1, 2, None]; it gave [1, 1, 2]" in message_of(transposed, "prototypes")


def test_one_output_too_few():
    def short(learner: Learner) -> Learner:
        return learner._replace(predict=lambda *args: learner.predict(*args)[..., 1:])

    assert "= [2, 6, 3]; it gave [2, 6, 2]" in message_of(short)


def test_adapted_weights_without_episodes():
    def shared(learner: Learner) -> Learner:
        def adapt(weights, support):
            return tf.nest.map_structure(lambda t: t[0], learner.adapt(weights, support))

        return learner._replace(adapt=adapt)

    assert "must give tensors [E, ...], one of each episode: 'head_bias' is [3]" in message_of(
        shared
    )


def test_adapted_weights_that_are_no_dict():
    def bare(learner: Learner) -> Learner:
        return learner._replace(adapt=lambda weights, support: support.x)

    assert "`adapt` of learner 'anil' must give a dict of tensors by name" in message_of(bare)


def test_a_weight_that_init_forgot():
    def poor(learner: Learner) -> Learner:
        body = {"other_kernel": tf.zeros([4, 3])}
        return learner._replace(init=lambda seed: learner.init(seed) | {"body": body})

    assert "asks for 'conv1_kernel', which is in no weights" in message_of(poor)


def normalised_by_the_queries(learner: Learner) -> Learner:
    def predict(*args):
        outputs = learner.predict(*args)
        return outputs - tf.reduce_mean(outputs, axis=1, keepdims=True)

    return learner._replace(predict=predict)


def test_predictions_that_depend_on_other_queries():
    assert "another query changed the outputs by" in message_of(normalised_by_the_queries)


def test_a_learner_may_say_that_it_is_not_inductive():
    def honest(learner: Learner) -> Learner:
        learner = normalised_by_the_queries(learner)
        return learner._replace(traits=learner.traits._replace(inductive=False))

    check_learner(with_learner(honest), IMAGES)
    assert not with_learner(honest).learner.inductive


def test_so_may_a_backbone():
    backbone = {"filters": 4, "blocks": 1, "normalisation": "transductive"}
    learner = assemble(IMAGES, {"name": "anil", "backbone": backbone}).learner
    assert learner.traits.inductive and not learner.inductive
