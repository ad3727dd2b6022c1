"""What REST answers to requests that are right."""

import base64

import numpy as np

from tests.serving.model_server.endpoints import as_lists
from tests.serving.nearest_centroid import episode, expected, png

PREDICT = "/v1/models/few_shot:predict"
EPISODE = episode()
COLUMNS = as_lists(EPISODE)


def test_rest_by_column_and_by_row_give_the_numbers_of_numpy(served):
    inputs = episode(episodes=2)
    columns = as_lists(inputs)
    rows = [{name: values[e] for name, values in columns.items()} for e in range(2)]
    code, by_column = served.post("/v1/models/few_shot/versions/1:predict", {"inputs": columns})
    assert code == 200
    np.testing.assert_allclose(by_column["outputs"]["probabilities"], expected(inputs), atol=1e-5)
    code, by_row = served.post("/v1/models/few_shot/labels/stable:predict", {"instances": rows})
    assert code == 200
    assert [row["probabilities"] for row in by_row["predictions"]] == by_column["outputs"][
        "probabilities"
    ]


def test_rest_takes_base64_strings(served):
    def pngs(images):
        return [[{"b64": base64.b64encode(png(image)).decode()} for image in images[0]]]

    columns = {
        "support_x": pngs(EPISODE["support_x"]),
        "support_labels": [[f"class-{label}" for label in EPISODE["support_y"][0]]],
        "query_x": pngs(EPISODE["query_x"]),
    }
    body = {"signature_name": "adapt_and_predict_encoded", "inputs": columns}
    code, answer = served.post("/v1/models/few_shot/versions/1:predict", body)
    assert code == 200
    named = answer["outputs"]["class_names"][0]
    order = [named.index(f"class-{label}") for label in range(len(named))]
    given = np.array(answer["outputs"]["probabilities"])[..., order]
    np.testing.assert_allclose(given, expected(EPISODE), atol=1e-5)
    assert set(answer["outputs"]["predicted_labels"][0]) <= set(named)


def test_rest_path_is_of_any_case_and_extra_inputs_are_passed_over(served):
    body = {"inputs": COLUMNS | {"extra": 1}}
    code, _ = served.post("/V1/Models/few_shot:predict", body)
    assert code == 200


def test_rest_ignores_what_follows_the_document(served):
    code, body = served.post(PREDICT, b'{"inputs": {}} trailing')
    assert (code, body["error"][:20]) == (400, "Missing named input:")


def test_rest_status_and_metadata(served):
    code, status = served.get("/v1/models/few_shot/versions/1")
    entry = {"version": "1", "state": "AVAILABLE"}
    entry["status"] = {"error_code": "OK", "error_message": ""}
    assert (code, status) == (200, {"model_version_status": [entry]})
    code, metadata = served.get("/v1/models/few_shot/versions/1/metadata")
    assert metadata["model_spec"] == {"name": "few_shot", "signature_name": "", "version": "1"}
    table = metadata["metadata"]["signature_def"]["signature_def"]
    labels = table["serving_default"]["inputs"]["support_y"]
    assert labels["dtype"] == "DT_INT32"
    assert labels["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "-1", "name": ""}],
        "unknown_rank": False,
    }
