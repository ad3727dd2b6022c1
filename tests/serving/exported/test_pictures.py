"""A picture of any kind gets the answer of what a viewer shows, or a sentence: no third way."""

import numpy as np
import pytest

from serving.client import StatusError
from serving.files.pictures import to_png
from serving.protocol.tensors import as_array
from serving.saved_model import signatures as names
from tests.picture_cases import png_cases, saved_cases, viewer_picture

# Of the others Pillow itself sees the transparent value wrongly; tests/serving/files has them.
CASES = {
    name: file for name, file in [*png_cases(), *saved_cases()] if "tRNS" not in name or "8" in name
}
SUPPORT = {
    "dark": [to_png(np.full((9, 14, 3), 40, np.uint8))],
    "noise": [to_png(np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8))],
}


@pytest.fixture(scope="module")
def shown() -> list[bytes]:
    """What a viewer shows, as files that every decoder reads."""
    return [to_png(viewer_picture(file)) for file in CASES.values()]


def test_the_client_sends_what_a_viewer_shows(connect, shown):
    client = connect("images-protonet")
    got = client.classify(SUPPORT, list(CASES.values())).probabilities
    expected = client.classify(SUPPORT, shown).probabilities
    np.testing.assert_allclose(got, expected, atol=0.02)


def test_a_file_sent_as_it_is_gets_the_same_answer_or_a_sentence(connect, shown):
    client = connect("images-protonet")
    support = [file for files in SUPPORT.values() for file in files]
    inputs = {
        names.SUPPORT_X: as_array([support]),
        names.SUPPORT_LABELS: as_array([list(SUPPORT)]),
    }
    read = 0
    for (name, file), picture in zip(CASES.items(), shown):
        expected = client.classify(SUPPORT, [picture]).probabilities
        try:
            reply = client.run(names.ENCODED, inputs | {names.QUERY_X: as_array([[file]])})
        except StatusError as error:
            assert "file 0 of `query_x` " in error.message, name
            continue
        columns = [column.decode() for column in reply.outputs[names.CLASS_NAMES][0]]
        order = [columns.index(label) for label in SUPPORT]
        got = reply.outputs[names.PROBABILITIES][0][:, order]
        np.testing.assert_allclose(got, expected, atol=0.02, err_msg=name)
        read += 1
    assert read > 40
