"""A model of recordings is evaluated on files of another rate and number of channels."""

import json
import wave

import numpy as np
from click.testing import CliRunner

from components.meta_trainer.build import assemble_for
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from pipeline.cli import main

SPEC = ExampleSpec("audio", "float32", (None,), sample_rate=4000, max_seconds=0.5)
LEARNER = {"name": "protonet", "backbone": {"name": "conv4", "filters": 4, "blocks": 1}}


def write_tones(folder, rate: int = 8000) -> None:
    """Three classes of five recordings, tones of one pitch a class; every other one in stereo."""
    rng = np.random.default_rng(0)
    for pitch in (300, 700, 1500):
        (folder / f"tone{pitch}").mkdir(parents=True)
        for number in range(5):
            time = np.arange(rate // 4 + 100 * number) / rate
            tone = 9000 * np.sin(2 * np.pi * pitch * time) + rng.normal(0, 300, len(time))
            channels = 1 + number % 2
            with wave.open(str(folder / f"tone{pitch}" / f"{number}.wav"), "wb") as file:
                file.setparams((channels, 2, rate, 0, "NONE", ""))
                file.writeframes(np.repeat(tone.astype("<i2"), channels).tobytes())


def test_recordings_become_what_the_model_takes(tmp_path):
    write_tones(tmp_path / "tones")
    assembly = assemble_for(SPEC, 3, LEARNER)
    export(assembly, assembly.learner.init(0), str(tmp_path / "model"), {})
    shape = ["--ways", 3, "--shots", 2, "--queries", 2, "--episodes", 4, "--json"]
    paths = ["--model", tmp_path / "model", "--data", tmp_path / "tones"]
    result = CliRunner().invoke(main, ["evaluate", *map(str, paths + shape)])
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert (record["classes"], record["episodes"], record["of_the_run"]) == (3, 4, False)
    data = record["config"]["data"]
    assert (data["sample_rate"], data["resample"], data["downmix"]) == (4000, True, True)
    assert record["baselines"]["mfcc_centroid"] > 0.9 and record["accuracy"] > 0.5
