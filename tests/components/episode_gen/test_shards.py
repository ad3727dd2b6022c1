import pytest
import tensorflow as tf

from components.episode_gen.options import EpisodeCounts, EpisodeOptions
from components.episode_gen.shards import SHARD_BYTES, Shard, make_shards, write_shard
from components.modalities.base import ExampleSpec

SMALL, LARGE = (ExampleSpec("image", "uint8", (size, size, 1)) for size in (4, 1024))


@pytest.mark.parametrize("spec", [SMALL, LARGE, ExampleSpec("text", "string", ())])
@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_the_shards_of_a_split_hold_every_episode_once(spec, count):
    options = EpisodeOptions(counts=EpisodeCounts(train=count, eval=3, test=0))
    shards = [shard for shard in make_shards(options, spec) if shard.split == "train"]
    indices = [index for shard in shards for index in range(shard.start, shard.stop)]
    assert indices == list(range(count))
    assert all(shard.start < shard.stop and shard.of == len(shards) for shard in shards)


def test_a_shard_is_never_much_larger_than_its_limit():
    options = EpisodeOptions(counts=EpisodeCounts(train=100, eval=0, test=0))
    episode = 5 * 16 * 1024 * 1024
    for shard in make_shards(options, LARGE):
        assert (shard.stop - shard.start) * episode <= SHARD_BYTES + episode


def test_a_file_that_fails_half_way_is_not_there(tmp_path):
    def records():
        yield b"one"
        raise RuntimeError("out of memory")

    shard = Shard("train", 0, 1, 0, 2)
    with pytest.raises(RuntimeError):
        write_shard(shard, str(tmp_path), records())
    assert not list((tmp_path / "Split-train").glob("*.gz"))


def test_a_retry_replaces_the_file(tmp_path):
    shard = Shard("train", 0, 1, 0, 1)
    for record in (b"first", b"second"):
        write_shard(shard, str(tmp_path), [record])
    dataset = tf.data.TFRecordDataset(shard.path(str(tmp_path)), compression_type="GZIP")
    assert list(dataset.as_numpy_iterator()) == [b"second"]
