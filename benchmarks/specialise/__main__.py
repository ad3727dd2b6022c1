"""A classifier of `fewshot specialise` beside the model that it comes from.

    python -m benchmarks.specialise NAME=RUN ... [--record]

Each RUN is the folder of a run that has pushed a model. For its first test episode one query after
another is sent, as a file or text and in this process: to the model with the support set, and to
the classifier, by turns. The accuracies are over the queries of the first test episodes: of the
classifier, and where the examples allow it of its two TensorFlow Lite files.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.reporting import about, add_record_option, report
from benchmarks.specialise.table import LITE, table
from components.episodes.dataset import read_split
from components.episodes.format import Episode, decode_episode
from components.episodes.record import read_record
from components.modalities.encoders import encoder_for
from components.specialise.classifier import adapt_once
from components.specialise.saved_model import write_saved_model
from components.specialise.tflite import write_tflite
from pipeline.evaluate.model import TrainedModel, find_model
from pipeline.summary import latest_run
from serving.client import FewShotClient

CALLS, EPISODES = 200, 12


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN")
    add_record_option(parser)
    arguments = parser.parse_args()
    models = {}
    for pair in arguments.runs:
        name, _, run = pair.partition("=")
        models[name] = measure(Path(run))
        print(name, json.dumps(models[name]), flush=True)
    report("specialise", about() | {"models": models}, arguments.results, table)


def measure(run: Path) -> dict[str, Any]:
    """The figures of one model."""
    model, found = find_model(run), test_episodes(run)
    texts = model.spec.modality == "text"
    encode = encoder_for(model.spec)
    assert encode is not None
    answers: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, episode in enumerate(found):
            support: dict[str, list[bytes]] = {name: [] for name in episode.class_names}
            for x, label in zip(episode.support_x, episode.support_y):
                support[episode.class_names[label]].append(encode(x))
            classifier = adapt_once(str(model.folder), learner_of(model), support)
            folder = Path(temporary, str(number))
            if number == 0:
                write_saved_model(classifier, folder, str(run))
                queries = [x if texts else encode(x) for x in episode.query_x]
                times = by_turns(model.folder, folder, support, queries, texts)
                sizes = {"model": size(model.folder), "classifier": size(folder)}
            of = {"model": tf.function(classifier.probabilities)}
            if not texts and None not in model.spec.shape:
                write_tflite(classifier, folder.with_name(f"{number}-lite"))
                of |= {name: lite(folder.with_name(f"{number}-lite") / name) for name in LITE}
            truth = [episode.class_names[label] for label in episode.query_y]
            for name, function in of.items():
                p = np.asarray(function(tf.constant(np.asarray(episode.query_x))))
                right = np.array(classifier.classes)[p.argmax(axis=-1)] == truth
                answers.setdefault(name, []).extend(right.tolist())
    return {
        "learner": model.metadata["learner"],
        "p50_seconds": times,
        "calls": CALLS,
        "bytes": sizes,
        "accuracy": {name: float(np.mean(right)) for name, right in answers.items()},
        "queries": len(answers["model"]),
    }


def test_episodes(run: Path) -> list[Episode]:
    """The first test episodes of a run."""
    uri = latest_run(run / "metadata.sqlite")[1]["examples"].uri
    spec = read_record(uri).example_spec
    stored = read_split(uri, "test").take(EPISODES).as_numpy_iterator()
    return [decode_episode(serialized, spec) for serialized in stored]


def learner_of(model: TrainedModel) -> dict[str, Any]:
    """The section `learner` of a model's configuration."""
    return model.metadata.get("learner_options") or model.config["learner"]


def by_turns(
    model: Path, classifier: Path, support: dict[str, list[bytes]], queries: list, texts: bool
) -> dict[str, float]:
    """The median seconds of a request with one query, to each of the two."""
    examples: Any = support
    if texts:
        examples = {name: [text.decode() for text in group] for name, group in support.items()}
    with FewShotClient.connect(str(model)) as full, FewShotClient.connect(str(classifier)) as small:
        calls: dict[str, Callable[[Any], Any]] = {
            "model": lambda query: full.classify(examples, [query]),
            "classifier": lambda query: small.predict([query]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(-10, CALLS):  # the first ones trace and allocate
            for name, call in calls.items():
                began = time.perf_counter()
                call(queries[number % len(queries)])
                if number >= 0:
                    seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def lite(path: Path) -> Callable[[tf.Tensor], np.ndarray]:
    """The function of a TensorFlow Lite file, from examples `[n, ...]` to probabilities."""
    interpreter = tf.lite.Interpreter(str(path))
    interpreter.allocate_tensors()
    (given,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(examples: tf.Tensor) -> np.ndarray:
        answers = []
        for example in examples:
            interpreter.set_tensor(given["index"], example.numpy()[None])
            interpreter.invoke()
            answers.append(interpreter.get_tensor(out["index"])[0])
        return np.stack(answers)

    return run


def size(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
