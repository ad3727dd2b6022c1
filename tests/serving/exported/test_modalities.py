"""Pictures, texts and recordings, as files and as arrays, by the client and by `fewshot query`."""

import io
import wave

import numpy as np
import pytest
from click.testing import CliRunner

from serving.client.command import query
from serving.errors import UserError
from tests.serving.exported.small_exports import MODELS, PICTURE, RATE
from tests.serving.nearest_centroid import png

PICTURES, TEXTS, RECORDINGS = "images-protonet", "texts-protonet", "recordings-protonet"


def pictures(seed: int):
    """A dark and a bright picture, uint8."""
    rng = np.random.default_rng(seed)
    return {
        "dark": rng.integers(0, 60, PICTURE, dtype=np.uint8),
        "bright": rng.integers(190, 256, PICTURE, dtype=np.uint8),
    }


def recordings(seed: int):
    """Two tones, of a length of their own; of 16 bits, so that a wav file holds the very same."""
    rng = np.random.default_rng(seed)

    def tone(hertz):
        time = np.arange(rng.integers(1_000, 4_000)) / RATE
        return np.round(16_000 * np.sin(2 * np.pi * hertz * time)).astype(np.float32) / 32_768

    return {"low": tone(200), "high": tone(1_500)}


SENTENCES = {"music": ["play a song", "turn up the radio"], "money": ["my balance", "pay a bill"]}


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes((samples * 32_768).astype("<i2").tobytes())
    return file.getvalue()


def probabilities(name: str, support_x: np.ndarray, query_x: np.ndarray) -> np.ndarray:
    """The learner's own, one support example of each of two classes."""
    return MODELS[name].answer(support_x[None], np.array([[0, 1]], np.int32), query_x[None])[
        0, :, :2
    ]


def padded(samples) -> np.ndarray:
    longest = max(map(len, samples))
    return np.stack([np.pad(s, (0, longest - len(s))) for s in samples])


def test_pictures_as_files_and_as_arrays(connect):
    client, support, queries = connect(PICTURES), pictures(0), list(pictures(1).values())
    right = probabilities(PICTURES, np.stack([*support.values()]), np.stack(queries))
    arrays = client.classify({n: [x] for n, x in support.items()}, queries)
    np.testing.assert_allclose(arrays.probabilities, right, atol=1e-4)
    files = client.classify({n: [png(x)] for n, x in support.items()}, [png(x) for x in queries])
    assert files.class_names == ["dark", "bright"]
    np.testing.assert_allclose(files.probabilities, right, atol=1e-4)


def test_texts(connect):
    support = {name: texts[:1] for name, texts in SENTENCES.items()}
    queries = [texts[1] for texts in SENTENCES.values()]
    as_bytes = [
        np.array([t.encode() for t in texts], object)
        for texts in ([texts[0] for texts in support.values()], queries)
    ]
    client = connect(TEXTS)
    answer = client.classify(support, queries)
    np.testing.assert_allclose(answer.probabilities, probabilities(TEXTS, *as_bytes), atol=1e-4)
    adapted = client.adapt(support).classify(queries)
    np.testing.assert_allclose(adapted.probabilities, answer.probabilities, atol=1e-5)


def test_recordings_of_unequal_length_as_arrays_and_as_files(connect):
    client, support, queries = connect(RECORDINGS), recordings(0), list(recordings(1).values())
    assert len({len(samples) for samples in [*support.values(), *queries]}) == 4
    right = probabilities(RECORDINGS, padded([*support.values()]), padded(queries))
    by_class = {name: [samples] for name, samples in support.items()}
    arrays = client.classify(by_class, queries)
    np.testing.assert_allclose(arrays.probabilities, right, atol=1e-4)
    wide = client.classify(by_class, [samples.astype(np.float64) for samples in queries])
    np.testing.assert_allclose(wide.probabilities, right, atol=1e-4)
    files = client.classify({n: [wav(x)] for n, x in support.items()}, [wav(x) for x in queries])
    np.testing.assert_allclose(files.probabilities, right, atol=1e-4)
    adapted = client.adapt(by_class)
    one_by_one = [adapted.classify([samples]).probabilities[0] for samples in queries]
    np.testing.assert_allclose(one_by_one, right, atol=1e-4)


def test_only_what_the_signature_leaves_free_is_padded(connect):
    flat = {"a": [np.zeros(300, np.float32)], "b": [np.zeros((2, 300), np.float32)]}
    with pytest.raises(
        UserError, match=r"`support_x` must hold arrays of one shape; got \[\(2, 300"
    ):
        connect(RECORDINGS).classify(flat, flat["a"])


@pytest.mark.parametrize("kind", ["pictures", "recordings", "texts"])
def test_fewshot_query(target, tmp_path, kind):
    model, support, queries, wanted = {
        "pictures": lambda: (PICTURES, *files(tmp_path, pictures, png, "png")),
        "recordings": lambda: (RECORDINGS, *files(tmp_path, recordings, wav, "wav")),
        "texts": lambda: (TEXTS, *table(tmp_path)),
    }[kind]()
    option = "--rest" if target.startswith("http") else "--address"
    arguments = ["--support", str(support), option, target, "--model-name", model, *queries]
    result = CliRunner().invoke(query, arguments, env={"COLUMNS": "250"})
    assert result.exception is None, result.output
    rows = [line.split("│") for line in result.output.splitlines() if line.count("│") == 6]
    assert [row[2].strip() for row in rows] == wanted
    assert all(0.5 < float(row[3]) <= 1 for row in rows)


def files(folder, examples, encode, suffix):
    """A folder with a sub-folder for each class, the queries, and the classes they are of."""
    for name, example in examples(0).items():
        (folder / "support" / name).mkdir(parents=True)
        (folder / "support" / name / f"0.{suffix}").write_bytes(encode(example))
    queries = []
    for name, example in examples(1).items():
        queries.append(folder / f"{name}.{suffix}")
        queries[-1].write_bytes(encode(example))
    return folder / "support", list(map(str, queries)), list(examples(1))


def table(folder):
    """A table of texts that are both support set and queries: each must get its own class."""
    path = folder / "support.csv"
    rows = [f"{text},{name}" for name, texts in SENTENCES.items() for text in texts]
    path.write_text("\n".join(["text,label", *rows]))
    return path, [texts[0] for texts in SENTENCES.values()], list(SENTENCES)
