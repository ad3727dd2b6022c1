"""Episodes decide the task, the size of the answer and which learners fit."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer.build import assemble, default_backbone
from components.meta_trainer.learners import TABLE
from components.modalities.base import ExampleSpec
from serving.errors import UserError

IMAGE = ExampleSpec("image", "uint8", (8, 8, 1))
POINT = ExampleSpec("vector", "float32", (1,), target_shape=(2,))


def record(spec: ExampleSpec, ways: int = 5) -> EpisodeSetRecord:
    return EpisodeSetRecord(
        format_version=1,
        example_spec=spec,
        ways=ways,
        shots=2,
        queries=2,
        counts={"train": 1, "eval": 1, "test": 1},
        seed=0,
        splits={"train": [], "eval": [], "test": []},
        groups={},
        config={"data": {}},
    )


def test_class_labels_make_a_classifier_of_as_many_outputs_as_ways():
    assembly = assemble(record(IMAGE), {"name": "maml", "backbone": {"filters": 4, "blocks": 2}})
    assert assembly.task.name == "classification"
    assert assembly.learner.network.outputs == 5


def test_float_targets_make_a_regression_of_the_size_of_a_target():
    assembly = assemble(record(POINT, ways=1), {"name": "maml"})
    assert assembly.task.name == "regression"
    assert assembly.learner.network.outputs == 2
    assert assembly.modality.spec == POINT


def test_images_from_images_are_answered_at_every_pixel():
    spec = dataclasses.replace(IMAGE, target_shape=(8, 8, 1))
    assert default_backbone(spec) == "image_to_image"
    assert assemble(record(spec, ways=1), {"name": "maml"}).learner.network.outputs == 1
    dense = {"name": "maml", "backbone": {"name": "mlp", "sizes": [4]}}
    assert assemble(record(spec, ways=1), dense).learner.network.outputs == 64


def needs_classes(name: str) -> bool:
    return assemble(record(IMAGE), {"name": name}).learner.traits.needs_classes


def test_learners_that_average_classes_say_so():
    assert needs_classes("protonet") and needs_classes("proto_maml")
    assert not needs_classes("maml")


@pytest.mark.parametrize("name", sorted(TABLE))
def test_regression_is_taken_as_it_is_or_refused(name):
    """Learners know no task type: a meta-gradient and answers of each on float targets."""
    section = {"name": name, "backbone": {"sizes": [4]}}
    if needs_classes(name):
        with pytest.raises(UserError, match=r"does not need classes.*choose maml"):
            assemble(record(POINT, ways=1), section)
        return
    learner = assemble(record(POINT, ways=1), section).learner
    x = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8, 1)
    y = np.concatenate([x, -x], axis=-1)
    episodes = Episodes(*map(tf.constant, (x[:, :4], y[:, :4], x[:, 4:], y[:, 4:])))
    weights = learner.init(0)
    found = learner.meta_gradients(weights, episodes, tf.constant(0.0))
    assert np.isfinite(found.loss) and set(found.gradients) == set(weights)
    answers = learner.predict(weights, learner.adapt(weights, episodes.support), episodes.query_x)
    assert answers.shape == (2, 4, 2)


@pytest.mark.parametrize("phrases", [False, True])
def test_reptile_adapts_all_weights_and_so_no_tables_of_tokens(phrases):
    spec = ExampleSpec("text", "string", (), phrases=phrases)
    with pytest.raises(UserError, match="must be one that leaves tables of tokens"):
        assemble(record(spec, ways=1), {"name": "reptile"})
    assert assemble(record(spec, ways=1), {"name": "maml"}).learner_name == "maml"
