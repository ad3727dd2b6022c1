"""Real exports, as small as possible, with untrained weights: no test here needs a good model."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Support
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec

WAYS, SIZE, RATE = 5, 8, 8_000  # images are uint8 [SIZE, SIZE, 1]
PICTURE = (SIZE, SIZE, 1)
CONV = {"filters": 4, "blocks": 2}


class Model(NamedTuple):
    """What is exported: the kind of its examples, and the section `learner`."""

    spec: ExampleSpec
    learner: dict[str, Any]

    def assemble(self) -> Assembly:
        ways = 1 if self.spec.regression else WAYS
        record = EpisodeSetRecord(2, self.spec, ways, 1, 1, {}, 0, {}, {}, {})
        return assemble(record, self.learner)

    def answer(self, support_x: np.ndarray, support_y: np.ndarray, query_x: np.ndarray):
        """What the learner itself gives, with neither export nor server: `[E, Q, ...]`."""
        assembly = self.assemble()
        weights, prepare = assembly.learner.init(0), assembly.modality.prepare
        support = Support(prepare(tf.constant(support_x)), tf.constant(support_y))
        adapted = assembly.learner.adapt(weights, support)
        outputs = assembly.learner.predict(weights, adapted, prepare(tf.constant(query_x)))
        return assembly.task.predict(outputs, support.y).numpy()

    def export(self, folder: Path) -> None:
        assembly = self.assemble()
        export(assembly, assembly.learner.init(0), str(folder), {})


MODELS = {
    "images-maml": Model(
        ExampleSpec("image", "uint8", PICTURE),
        {"name": "maml", "inner_steps": 2, "backbone": CONV, "head": "numbered"},
    ),
    "images-protonet": Model(
        ExampleSpec("image", "uint8", PICTURE), {"name": "protonet", "backbone": CONV}
    ),
    "texts-protonet": Model(
        ExampleSpec("text", "string", ()),
        # Without normalisation it offers `embed`, for which the others need support sets.
        {
            "name": "protonet",
            "backbone": {
                "buckets": 64,
                "size": 8,
                "layers": 1,
                "hidden": 6,
                "normalisation": "none",
            },
        },
    ),
    "recordings-protonet": Model(
        ExampleSpec("audio", "float32", (None,), sample_rate=RATE, max_seconds=1.0),
        {"name": "protonet", "backbone": CONV},
    ),
    "numbers-maml": Model(
        ExampleSpec("vector", "float32", (2,), target_shape=(3,)),
        {"name": "maml", "inner_steps": 1, "backbone": {"name": "mlp", "sizes": [8]}},
    ),
    "pictures-anil": Model(
        ExampleSpec("image", "uint8", PICTURE, target_shape=PICTURE),
        {
            "name": "anil",
            "inner_steps": 2,
            "backbone": {"name": "image_to_image", "filters": 4, "features": 2, "layers": 1},
        },
    ),
}


def serving_config(folder: Path) -> str:
    """Exports every model and returns the text of a ModelServerConfig that names them all."""
    for name, model in MODELS.items():
        (folder / name).mkdir()
        model.export(folder / name / "1")
    entries = [
        f"config {{ name: '{n}' base_path: '{folder / n}' model_platform: 'tensorflow' }}"
        for n in MODELS
    ]
    return f"model_config_list {{ {' '.join(entries)} }}"
