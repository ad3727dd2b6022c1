import dataclasses

import apache_beam as beam
import tensorflow as tf

from components.episode_validator.validate import find_violations
from components.episodes.dataset import split_files
from components.episodes.format import decode_stored, encode_stored
from components.episodes.record import read_record, write_record


def violations(uri, tmp_path) -> list[str]:
    return find_violations(
        str(uri),
        output=str(tmp_path / "violations.txt"),
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )


def rewrite(uri, split: str, change) -> int:
    """Changes the first episode of a split's first file (None drops it); its index."""
    path = split_files(str(uri), split)[0]
    records = list(tf.data.TFRecordDataset(path, compression_type="GZIP").as_numpy_iterator())
    episode = decode_stored(records[0])
    changed = change(episode)
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for record in ([] if changed is None else [encode_stored(changed)]) + records[1:]:
            writer.write(record)
    return episode.index


def test_a_set_that_episode_gen_wrote_is_sound(episodes, tmp_path):
    assert violations(episodes, tmp_path) == []


def test_the_offending_episode_is_named(episodes, tmp_path):
    def put_support_into_query(episode):
        ids = episode.example_ids
        return dataclasses.replace(episode, example_ids=[*ids[:-1], ids[0]])

    index = rewrite(episodes, "test", put_support_into_query)
    (sentence,) = violations(episodes, tmp_path)
    assert sentence.startswith(f"episode {index} of test has example 'class_")
    assert sentence.endswith("in both support and query")


def test_an_episode_that_is_gone_is_missed(episodes, tmp_path):
    rewrite(episodes, "train", lambda episode: None)
    assert violations(episodes, tmp_path) == ["train has 19 episodes, not 20"]


def test_the_class_that_is_in_two_splits_is_named(episodes, tmp_path):
    record = read_record(str(episodes))
    name = record.splits["train"][0]
    leaking = record.splits | {"test": [*record.splits["test"], name]}
    write_record(str(episodes), dataclasses.replace(record, splits=leaking))
    assert f"class '{name}' is in two splits, train and test" in violations(episodes, tmp_path)
