"""The threshold that `init` writes: halfway from chance to the best plain script."""

from collections.abc import Mapping
from typing import Any

EPISODES = 20
"""Test episodes that the scripts are tried on."""


def baseline_threshold(values: Mapping[str, Any]) -> float:
    """The accuracy between chance and the best of the evaluator's baselines, on a few episodes.

    It is a floor, for classes that no script tells apart either. That a model is ahead of every
    baseline is what `evaluation.must_beat_baselines` asks for.

    Args:
      values: the sections of a configuration.

    Raises:
      UserError: the data cannot be used with this configuration.
    """
    import numpy as np
    import tensorflow as tf

    from components.episode_gen.check import check_data
    from components.episode_gen.preview import draw_episodes
    from components.episodes.dataset import parse_episodes
    from components.episodes.format import encode_episode
    from components.few_shot_evaluator.classification import baselines
    from components.options import build_options
    from pipeline.config import Config

    config = build_options(Config, {"name": "init", **values}, "")
    checked = check_data(config.data, config.episodes)
    drawn = draw_episodes(checked, config.episodes, split="test", count=EPISODES)
    spec, ways = checked.spec, config.episodes.ways
    serialized = tf.constant([encode_episode(episode, spec) for episode in drawn])
    scores = baselines.score(parse_episodes(serialized, spec).numpy(), spec, ways=ways)
    best = max(float(np.mean(accuracies)) for accuracies in scores.values())
    return round((1 / ways + best) / 2, 2)
