"""Many queries are answered in bounded pieces, with the answers that they have together."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.export.pieces import QUERY_PIECE, in_pieces
from components.meta_trainer.export.served_learner import ServedLearner
from components.modalities.encoders import png
from serving.saved_model import signatures as sig
from tests.conformance.test_learners import SIZE, small

COUNT = 2 * QUERY_PIECE + 5
SUPPORT_Y = tf.constant([[0, 1, 2, 3] * 2])


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 12, 13, 40])
def test_every_query_is_answered_once_and_no_piece_is_too_large(count):
    queries = tf.random.stateless_uniform([3, count, 2], [0, count])

    @tf.function
    def ask(queries):
        def answer(start, stop):
            with tf.control_dependencies([tf.debugging.assert_less_equal(stop - start, 6)]):
                piece = queries[:, start:stop]
            return {"twice": 2 * piece, "first": piece[..., 0]}

        return in_pieces(answer, tf.shape(queries)[1], 6)

    outputs = ask(queries)
    np.testing.assert_array_equal(outputs["twice"], 2 * queries)
    np.testing.assert_array_equal(outputs["first"], queries[..., 0])


def images(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (1, count, SIZE, SIZE, 1), np.uint8)


def test_files_are_answered_as_arrays_are_and_named_by_their_place():
    assembly = small("protonet")
    served = ServedLearner(assembly, assembly.learner.init(0))
    signatures = served._encoded, served._serving_default
    encoded, arrays = (tf.function(one, autograph=False) for one in signatures)
    support_x, query_x = images(8), images(COUNT)
    support = tf.constant([[png(image) for image in support_x[0]]])
    labels = tf.constant([list("abcd") * 2])
    files = [png(image) for image in query_x[0]]
    found = encoded(support, labels, tf.constant([files]))
    order = np.argsort(found[sig.CLASS_NAMES][0])
    expected = arrays(support_x, SUPPORT_Y, query_x)[sig.PROBABILITIES]
    by_name = tf.gather(found[sig.PROBABILITIES], order, axis=2)
    np.testing.assert_allclose(by_name[..., :4], expected, atol=1e-6)
    files[QUERY_PIECE + 40] = b"no picture"
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"file {QUERY_PIECE + 40} of `query"):
        encoded(support, labels, tf.constant([files]))


def test_the_queries_of_a_transductive_learner_stay_together():
    assembly = small("protonet")
    learner = assembly.learner

    def predict(*arguments):
        outputs = learner.predict(*arguments)
        return outputs - tf.reduce_mean(outputs, axis=1, keepdims=True)

    transductive = learner._replace(
        predict=predict, traits=learner.traits._replace(inductive=False)
    )
    weights = learner.init(0)
    served = ServedLearner(assembly._replace(learner=transductive), weights)
    support_x, query_x = images(8), images(COUNT)
    found = served._serving_default(support_x, SUPPORT_Y, query_x)[sig.PROBABILITIES]
    prepare = assembly.modality.prepare
    adapted = learner.adapt(weights, Support(prepare(tf.constant(support_x)), SUPPORT_Y))
    expected = predict(weights, adapted, prepare(tf.constant(query_x)))
    np.testing.assert_allclose(found, tf.nn.softmax(expected), atol=1e-6)
