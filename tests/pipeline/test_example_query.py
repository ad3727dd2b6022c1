"""What a run ends with is a query that `fewshot query` reads, of any examples."""

import numpy as np
import pytest

from components.episodes.format import Episode
from components.modalities.base import ExampleSpec
from pipeline.example_query import write_example_query
from serving.client.files import read_queries, read_support

CLASSES = ["cat/1", "dog"]
KINDS = {
    "image": (ExampleSpec("image", "uint8", (4, 4, 1)), "png"),
    "audio": (ExampleSpec("audio", "float32", (None,), sample_rate=8_000), "wav"),
}


def episode(example) -> Episode:
    """Two classes, two support examples and two queries of each, of the second class first."""
    y = np.array([1, 1, 0, 0], np.int32)
    examples = [example(n) for n in range(8)]
    return Episode(0, examples[:4], y, examples[4:], y, CLASSES, [str(n) for n in range(8)])


def array(spec):
    shape = [100 if size is None else size for size in spec.shape]
    return lambda n: np.full(shape, n / 10 if spec.dtype == "float32" else n, spec.dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_files(tmp_path, kind):
    spec, suffix = KINDS[kind]
    for _ in range(2):  # what an earlier run has left goes
        example = write_example_query(episode(array(spec)), spec, tmp_path / "example")
    support, files_kind, _ = read_support(example.support)
    assert {name: len(files) for name, files in support.items()} == {"cat_1": 2, "dog": 2}
    files = [path for _, path in read_queries(tuple(example.queries), files_kind)]
    assert [path.name for path in files] == [f"cat_1-2.{suffix}", f"dog-0.{suffix}"]
    assert example.shell_words == f"{tmp_path}/example/queries/*"
    assert all(path.stat().st_size for path in files)


def test_texts_with_whatever_characters(tmp_path):
    spec = ExampleSpec("text", "string", ())
    example = write_example_query(
        episode(lambda n: f'-{n}, "quoted"\nline'), spec, tmp_path / "example"
    )
    support = read_support(example.support).examples
    assert support == {
        "dog": ['-0, "quoted"\nline', '-1, "quoted"\nline'],
        "cat/1": ['-2, "quoted"\nline', '-3, "quoted"\nline'],
    }
    assert example.queries == ['-6, "quoted"\nline', '-4, "quoted"\nline']


@pytest.mark.parametrize(
    "spec",
    [
        ExampleSpec("vector", "float32", (4,)),
        ExampleSpec("image", "uint8", (4, 4, 1), target_shape=(4, 4, 1)),
    ],
    ids=["vectors", "regression"],
)
def test_what_cannot_be_queried_is_not_written(tmp_path, spec):
    assert write_example_query(episode(array(spec)), spec, tmp_path / "example") is None
    assert not (tmp_path / "example").exists()
