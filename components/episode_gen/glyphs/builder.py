"""`glyphs` as a TFDS builder: no download, the same bytes on every machine."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from components.episode_gen.glyphs import strokes

ALPHABETS, CHARACTERS, DRAWINGS = 25, 20, 20
_CONSONANTS, _VOWELS = "bdgklmnprstvz", "aeiou"


class Glyphs(tfds.core.GeneratorBasedBuilder):
    """500 characters of 25 invented alphabets, 20 drawings each, 28x28 grey."""

    VERSION = tfds.core.Version("1.0.1")
    # Generated, not fetched: the package's own metadata folder is not looked for.
    pkg_dir_path = None

    def _info(self) -> tfds.core.DatasetInfo:
        alphabets = alphabet_names()
        return self.dataset_info_from_configs(
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=(strokes.SIZE, strokes.SIZE, 1), encoding_format="png"
                    ),
                    "alphabet": tfds.features.ClassLabel(names=alphabets),
                    "label": tfds.features.ClassLabel(
                        names=[f"{name}_{i:02d}" for name in alphabets for i in range(CHARACTERS)]
                    ),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        del dl_manager  # nothing to fetch
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        key = 0
        for alphabet_index in range(ALPHABETS):
            alphabet = strokes.draw_alphabet(np.random.RandomState([alphabet_index]))
            for character in range(CHARACTERS):
                rng = np.random.RandomState([alphabet_index, character])
                prototype = strokes.draw_prototype(rng, alphabet)
                for _ in range(DRAWINGS):
                    example = {
                        "image": strokes.draw_glyph(rng, prototype, alphabet, strokes.Hand()),
                        "alphabet": alphabet_index,
                        "label": alphabet_index * CHARACTERS + character,
                    }
                    yield key, example
                    key += 1


def alphabet_names() -> list[str]:
    """The invented names of the alphabets: "bade", "bagi", ..."""
    syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    return [
        syllables[(7 * i) % len(syllables)] + syllables[(11 * i + 3) % len(syllables)]
        for i in range(ALPHABETS)
    ]
