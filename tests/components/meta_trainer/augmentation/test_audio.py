"""What playing an episode faster or slower keeps and changes."""

import numpy as np
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.augmentation.audio import change_speed

SEED = tf.constant([1, 2], tf.int64)


def tones(hertz: float, episodes: int, rate: int = 8_000) -> Episodes:
    wave = np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)
    x = tf.constant(np.tile(wave, (episodes, 2, 1)))
    y = tf.constant(np.tile([0, 1], (episodes, 1)), tf.int32)
    return Episodes(x, y, x, y)


def pitch(x: np.ndarray, rate: int = 8_000) -> float:
    return float(np.abs(np.fft.rfft(x)).argmax()) * rate / len(x)


def test_the_recordings_of_an_episode_share_a_factor_and_episodes_do_not():
    varied = change_speed(tones(400.0, 6), 0.2, SEED)
    pitches = np.array([[pitch(x) for x in of_episode] for of_episode in varied.support_x.numpy()])
    assert np.allclose(pitches[:, 0], pitches[:, 1])
    assert len(set(pitches[:, 0])) > 1
    assert (pitches > 400 * 0.79).all() and (pitches < 400 * 1.21).all()
    assert np.allclose(varied.support_x, varied.query_x)


def test_a_slow_recording_is_whole_and_a_fast_one_ends_in_silence():
    episodes = tones(400.0, 20)
    varied = change_speed(episodes, 0.2, SEED).support_x.numpy()[:, 0]
    lengths = np.array([np.flatnonzero(x)[-1] for x in varied])
    pitches = np.array([pitch(x) for x in varied])
    assert np.allclose(lengths * pitches, 8_000 * 400, rtol=0.02)


def test_no_change_of_speed_changes_nothing():
    episodes = tones(400.0, 2)
    assert np.allclose(change_speed(episodes, 0.0, SEED).support_x, episodes.support_x)
