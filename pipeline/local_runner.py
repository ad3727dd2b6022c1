"""Runs the pipeline on this machine with TFX's LocalDagRunner."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.episode_gen.check import CheckedData
from pipeline.config import Config
from pipeline.summary import publish_summary
from serving import atomic
from serving.errors import UserError
from serving.pattern_signs import without_pattern_signs


def run_locally(
    config: Config, output_dir: Path, data: CheckedData, seconds: Mapping[str, float]
) -> dict[str, Any]:
    """Runs all steps, reusing what earlier runs in the same folder have done; returns the summary.

    The folder gets `tfx/`, `metadata.sqlite`, `serving_model/`, `report.html` and `summary.json`.
    The data's fingerprint makes changed data run anew; `seconds` of each step fill in meanwhile.

    Raises:
      UserError: another run is using the folder.
    """
    from tfx import v1 as tfx

    from pipeline.pipeline import create_pipeline

    real_dir = output_dir.absolute()
    with only_run_in(real_dir):
        output_dir = without_pattern_signs(real_dir)
        pipeline = create_pipeline(
            config,
            pipeline_root=str(output_dir / "tfx"),
            serving_dir=str(output_dir / "serving_model" / config.serving.model_name),
            checkpoint_root=str(output_dir / "checkpoints"),
            metadata_path=str(output_dir / "metadata.sqlite"),
            data_fingerprint=data.fingerprint,
        )
        tfx.orchestration.LocalDagRunner().run(pipeline)
        return publish_summary(config, output_dir, real_dir=real_dir, seconds=seconds)


@contextlib.contextmanager
def only_run_in(output_dir: Path) -> Iterator[None]:
    """Holds a lock on the folder; the system releases it however the process ends."""
    output_dir.mkdir(parents=True, exist_ok=True)
    with open(output_dir / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"`--output-dir` must not be in use by another run: {output_dir} is; wait for it, "
                "or choose another folder."
            ) from None
        yield


def point_latest_to(output_dir: Path) -> None:
    """Makes the sibling `latest` a link to `output_dir`, in one step."""
    with atomic.replacement(output_dir.parent / "latest") as temporary:
        os.symlink(output_dir.name, temporary)
