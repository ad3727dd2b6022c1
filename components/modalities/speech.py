"""Speech: mono float32 `[T]` samples in -1..1, of any length, as a log-mel spectrogram.

Recordings of one stack are padded with zeros to the longest. So that padding changes nothing, a
recording ends at its last sample that is not zero: zeros at the end of a file count as padding too.
Its frames, few or many, are then stretched to `FRAMES`: a word said slowly and one said quickly
come to look alike, and the network sees one size.
"""

import functools
from collections.abc import Callable

import numpy as np
import scipy.fft
import tensorflow as tf

from components.modalities.base import ExampleSpec, Modality
from components.modalities.places import place_of

WINDOW_SECONDS, HOP_SECONDS = 0.032, 0.010
MEL_BANDS = 40
LOWEST_HERTZ = 60.0
FRAMES = 32  # frames of the stretched spectrogram
MFCCS = 13  # coefficients of a frame, for baselines
FLOOR = 1e-6  # added to the energies, so that silence has a logarithm


def audio_modality(spec: ExampleSpec) -> Modality:
    """The audio modality; the network sees `[FRAMES, MEL_BANDS, 1]` float32."""
    sample_rate = spec.sample_rate or 0
    max_samples = int(spec.max_seconds * sample_rate)

    def prepare(samples: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(samples, [tf.reduce_prod(tf.shape(samples)[:-1]), tf.shape(samples)[-1]])
        bands = spectrogram(flat, sample_rate)
        shape = tf.concat([tf.shape(samples)[:-1], [FRAMES, MEL_BANDS, 1]], axis=0)
        bands = tf.reshape(bands, shape)
        bands.set_shape([*samples.shape[:-1], FRAMES, MEL_BANDS, 1])
        return bands

    def decode(encoded: tf.Tensor, name: str, numbers: tf.Tensor) -> tf.Tensor:
        def decode_one(numbered: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            file, number = numbered
            place = place_of("file", number, name)
            return tf.cond(
                tf.equal(file, ""),
                lambda: tf.zeros([0]),
                lambda: decode_wav(file, place, sample_rate=sample_rate, max_samples=max_samples),
            )

        # The scope puts the input's name into what the decoder says of a damaged file.
        with tf.name_scope(name):
            ragged = tf.map_fn(
                decode_one,
                (encoded, numbers),
                fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, 0),
            )
            return ragged.to_tensor()

    def raw_features(samples: np.ndarray) -> np.ndarray:
        return _spectrograms(sample_rate)(tf.constant(samples)).numpy().mean(axis=1)

    return Modality(spec, (FRAMES, MEL_BANDS, 1), prepare, decode, raw_features)


def mfccs(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean and deviation over time of mel-frequency cepstral coefficients, `[n, 2 MFCCS]`."""
    frames = _spectrograms(sample_rate)(tf.constant(samples)).numpy()
    cepstra = scipy.fft.dct(frames, norm="ortho")[..., :MFCCS]
    return np.concatenate([cepstra.mean(axis=1), cepstra.std(axis=1)], axis=1)


@functools.cache
def _spectrograms(sample_rate: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """`spectrogram` for one rate, traced once for many calls."""
    signature = [tf.TensorSpec([None, None], tf.float32)]
    frames = functools.partial(spectrogram, sample_rate=sample_rate)
    return tf.function(frames, signature, autograph=False)


def spectrogram(samples: tf.Tensor, sample_rate: int) -> tf.Tensor:
    """Computes log-mel energies over stretched time, `[n, FRAMES, MEL_BANDS]` float32.

    `samples` are `[n, T]` float32, zeros after the end of each. Silence gives all the same.
    """
    window, hop = round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    ends = tf.where(tf.not_equal(samples, 0.0), tf.range(1, tf.shape(samples)[1] + 1), 0)
    # An empty recording has one frame too.
    lengths = tf.reduce_max(tf.pad(ends, [[0, 0], [0, 1]], constant_values=1), axis=1)
    # Loudness depends on the microphone, not on the word.
    loudest = tf.reduce_max(tf.pad(tf.abs(samples), [[0, 0], [0, 1]]), axis=1, keepdims=True)
    scaled = tf.math.divide_no_nan(samples, loudest)
    # With a window of zeros at the end, every sample is within a whole frame.
    waves = tf.signal.stft(tf.pad(scaled, [[0, 0], [0, window]]), window, hop)
    energies = tf.square(tf.abs(waves))
    bands = tf.signal.linear_to_mel_weight_matrix(
        MEL_BANDS, energies.shape[-1], sample_rate, LOWEST_HERTZ, sample_rate / 2
    )
    log_mels = tf.math.log(tf.tensordot(energies, bands, 1) + FLOOR)
    return _stretch(log_mels, 1 + (lengths - 1) // hop)


def _stretch(frames: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Stretches the first `counts` `[n]` of `frames` `[n, F, d]` linearly to `[n, FRAMES, d]`."""
    last = tf.cast(counts - 1, tf.float32)[:, None]
    places = tf.linspace(0.0, 1.0, FRAMES)[None, :] * last
    before = tf.floor(places)
    share = (places - before)[..., None]
    before, last = tf.cast(before, tf.int32), tf.cast(last, tf.int32)
    left = tf.gather(frames, before, batch_dims=1)
    right = tf.gather(frames, tf.minimum(before + 1, last), batch_dims=1)
    return left * (1.0 - share) + right * share


def decode_wav(
    file: tf.Tensor, place: tf.Tensor, *, sample_rate: int, max_samples: int
) -> tf.Tensor:
    """Decodes a 16-bit mono wav file, a string scalar, to `[T]` float32 in -1..1.

    Raises INVALID_ARGUMENT, naming the file by `place`, where it is cut or no such file, is of
    another rate or stereo, or has no or too many samples.
    """

    def require(condition: tf.Tensor, *rule: str | tf.Tensor) -> tf.Operation:
        return tf.debugging.Assert(condition, [tf.strings.join([place, " must ", *rule])])

    # The decoder says that a file is too short, but not which.
    padded = tf.strings.join([file, 8 * "."])
    size = tf.io.decode_raw(tf.strings.substr(padded, 4, 4), tf.int32)[0]
    forms = [
        require(tf.equal(tf.strings.substr(padded, 0, 4), "RIFF"), "be a wav file, and is not."),
        require(size + 8 <= tf.strings.length(file), "be a whole file, and ends too early."),
    ]
    with tf.control_dependencies(forms):
        samples, rate = tf.audio.decode_wav(file)
    count, channels = tf.shape(samples)[0], tf.shape(samples)[1]
    text = tf.strings.as_string
    mono = f"be mono and of {sample_rate} samples a second, and is of "
    checks = [
        require(
            tf.equal(rate, sample_rate) & tf.equal(channels, 1),
            *(mono, text(rate), " samples a second and ", text(channels), " channel(s)."),
        ),
        require(count > 0, "have samples, and is of 0 seconds."),
        require(
            count <= max_samples, f"have at most {max_samples} samples; got ", text(count), "."
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(samples[:, 0])
