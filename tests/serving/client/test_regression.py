"""Models whose one output is `targets`: over REST a single output comes without its name."""

import numpy as np
import pytest
import tensorflow as tf

from serving.client import FewShotClient
from serving.errors import UserError
from serving.saved_model import signatures as names


class MeanTarget(tf.Module):
    """Predicts the mean target of the support set for every query."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 2], tf.float32, names.SUPPORT_X),
            tf.TensorSpec([None, None, 3], tf.float32, names.SUPPORT_Y),
            tf.TensorSpec([None, None, 2], tf.float32, names.QUERY_X),
        ]
    )
    def adapt_and_predict(self, support_x, support_y, query_x):
        mean = tf.reduce_mean(support_y, axis=1, keepdims=True)
        zero = tf.reduce_sum(query_x, -1, keepdims=True) * 0 + tf.reduce_sum(support_x) * 0
        return {names.TARGETS: mean + zero}


@pytest.fixture(scope="module")
def regression_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression") / "models" / "1"
    module = MeanTarget()
    signature = {names.ADAPT_AND_PREDICT: module.adapt_and_predict}
    tf.saved_model.save(module, str(folder), signatures=signature)
    return folder.parent


@pytest.fixture(params=["grpc", "rest", "disk"])
def client(request, start, regression_model):
    target = str(regression_model)
    if request.param != "disk":
        server = start(model_base_path=target, model_name="m")
        port = server.rest_port if request.param == "rest" else server.port
        target = f"http://localhost:{port}" if request.param == "rest" else f"localhost:{port}"
    with FewShotClient.connect(target, "m") as connected:
        yield connected


def test_targets_of_each_query(client):
    y = np.random.default_rng(0).normal(size=(4, 3))
    targets = client.regress(np.zeros((4, 2)), y, np.zeros((5, 2)))
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets, np.tile(y.mean(0), (5, 1)), rtol=1e-5)


def test_a_regression_model_does_not_classify(client):
    with pytest.raises(UserError, match="is a regression model"):
        client.classify({"a": [np.zeros(2, np.float32)]}, [np.zeros(2, np.float32)])
