"""Writes the files of an Examples artifact: the executor without TFX."""

import json
import logging
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.metrics import MetricsFilter

from components.episode_gen.check import CheckedData, check_data
from components.episode_gen.options import EpisodeGenConfig
from components.episode_gen.shards import example_bytes, make_shards
from components.episode_gen.table import ContentTable, Planner, make_planner, write_used_ids
from components.episode_gen.transforms import NAMESPACE, WriteByJoin, WriteFromTable
from components.episodes import SPLITS
from components.episodes.format import FORMAT_VERSION
from components.episodes.record import EpisodeSetRecord, write_record

# Modules of Beam's runners for one machine.
_ON_THIS_MACHINE = ("apache_beam.runners.direct", "apache_beam.runners.portability.fn_api_runner")


def generate_episodes(
    config: EpisodeGenConfig, *, uri: str, work: str, make_pipeline: Callable[[], beam.Pipeline]
) -> EpisodeSetRecord:
    """Writes the episodes of all splits and `episodes.json`; gives that record.

    The arguments are those of `write_episodes`.

    Raises:
      UserError: as `check_data`, and where an example cannot be read.
    """
    checked = check_data(config.data, config.episodes)
    return write_episodes(config, checked, uri=uri, work=work, make_pipeline=make_pipeline)


def write_episodes(
    config: EpisodeGenConfig,
    checked: CheckedData,
    *,
    uri: str,
    work: str,
    make_pipeline: Callable[[], beam.Pipeline],
) -> EpisodeSetRecord:
    """Writes the episodes of the splits of `checked` and `episodes.json`; gives that record.

    Args:
      config: the sections `data` and `episodes`.
      checked: the data, and the classes of each split.
      uri: location of the Examples artifact.
      work: folder for the files that workers share; on a cluster they must all see it.
      make_pipeline: function that gives a new Beam pipeline.

    Raises:
      UserError: an example cannot be read.
    """
    planner = make_planner(
        checked.spec, config.episodes, checked.catalogue, checked.splits, checked.across
    )
    tf.io.gfile.makedirs(work)
    pipeline = make_pipeline()
    here = type(pipeline.runner).__module__.startswith(_ON_THIS_MACHINE)
    with tempfile.TemporaryDirectory() if here and "://" in work else nullcontext(work) as shared:
        planner.save(shared)
        transform = _transform(config, checked, planner, uri=uri, work=shared, here=here)
        pipeline | "Shards" >> beam.Create(make_shards(config.episodes, checked.spec)) | transform
        result = pipeline.run()
        result.wait_until_finish()
    log_counters(result)

    record = _record(config, checked)
    write_record(uri, record)
    return record


def _transform(
    config: EpisodeGenConfig,
    checked: CheckedData,
    planner: Planner,
    *,
    uri: str,
    work: str,
    here: bool,
) -> beam.PTransform:
    """Chooses how episodes are written, and writes what that needs into the folder `work`.

    `here`: whether a runner of Beam's for one machine runs it. The join would hold all examples in
    its memory; a file on its disk gives the same.
    """
    megabytes = checked.catalogue.size() * example_bytes(checked.spec) / 2**20
    transform: beam.PTransform
    if here or megabytes <= config.data.table_megabytes:
        ContentTable.write(work, planner, checked.source)
        transform = WriteFromTable(work, uri)
    else:
        write_used_ids(work, planner)
        transform = WriteByJoin(work, uri, config.data, checked.source.parts())
    logging.info("EpisodeGen: %.0f MB of class data, %s", megabytes, type(transform).__name__)
    return transform


def log_counters(result: Any) -> dict[str, int]:
    """Logs and returns the counters of a Beam run; none where the runner has none."""
    try:
        metrics = result.metrics()
    except NotImplementedError:  # the Dask runner's
        logging.info("EpisodeGen: this runner counts nothing")
        return {}
    counters = metrics.query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    counts = {counter.key.metric.name: counter.result for counter in counters}
    for name, count in sorted(counts.items()):
        logging.info("EpisodeGen: %s %d", name, count)
    return counts


def _record(config: EpisodeGenConfig, checked: CheckedData) -> EpisodeSetRecord:
    episodes = config.episodes
    own = episodes.shape_of("train")
    return EpisodeSetRecord(
        format_version=FORMAT_VERSION,
        example_spec=checked.spec,
        ways=episodes.ways,
        shots=episodes.shots,
        queries=episodes.queries,
        counts={split: getattr(episodes.counts, split) for split in SPLITS},
        seed=episodes.seed,
        splits=checked.splits,
        groups=checked.catalogue.groups,
        config=json.loads(config.to_json()),
        train_shape=None if own == episodes.shape_of("test") else own,
        split_by=config.data.split_by,
        eval_within_groups=config.data.eval_within is not None,
        rotated_splits=tuple(split for split in SPLITS if episodes.rotates(split)),
    )
