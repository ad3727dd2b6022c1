import numpy as np
import pytest

from components.episode_gen.glyphs.builder import ALPHABETS, CHARACTERS, DRAWINGS, alphabet_names
from components.episode_gen.glyphs.strokes import (
    Hand,
    draw_alphabet,
    draw_glyph,
    draw_prototype,
    rasterise,
    spline,
)


def drawings_of(alphabet_index: int, character: int, count: int = DRAWINGS) -> np.ndarray:
    alphabet = draw_alphabet(np.random.RandomState([alphabet_index]))
    rng = np.random.RandomState([alphabet_index, character])
    prototype = draw_prototype(rng, alphabet)
    return np.stack([draw_glyph(rng, prototype, alphabet, Hand()) for _ in range(count)])


def test_there_are_enough_classes_with_names_of_their_own():
    assert ALPHABETS * CHARACTERS >= 400 and DRAWINGS == 20
    assert len(set(alphabet_names())) == ALPHABETS


def test_ink_is_0_on_255_and_neither_missing_nor_everywhere():
    for alphabet_index in range(ALPHABETS):
        drawings = drawings_of(alphabet_index, 0, count=5)
        assert drawings.dtype == np.uint8 and drawings.shape == (5, 28, 28, 1)
        share = (drawings < 128).mean(axis=(1, 2, 3))
        assert ((share > 0.02) & (share < 0.5)).all()
        assert (drawings.max(axis=(1, 2, 3)) == 255).all()


def test_drawings_of_a_character_differ():
    drawings = drawings_of(3, 4).reshape(DRAWINGS, -1)
    assert len(np.unique(drawings, axis=0)) == DRAWINGS


def test_the_same_numbers_draw_the_same_glyph():
    assert np.array_equal(drawings_of(7, 2), drawings_of(7, 2))


def test_a_spline_passes_through_its_points():
    points = np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.2]])
    for bend in (0.0, 1.0):
        curve = spline(points, bend)
        for point in points:
            assert np.abs(curve - point).sum(axis=1).min() < 0.05
        assert np.allclose(curve[[0, -1]], points[[0, -1]])


def test_the_pen_is_as_wide_as_asked_for():
    line = np.stack([np.linspace(4.0, 24.0, 200), np.full(200, 14.0)], axis=1)
    ink = 1.0 - rasterise(line, width=3.0)[:, 14, 0] / 255.0
    assert ink.sum() == pytest.approx(3.0, abs=0.1)


def test_the_nearest_centroid_on_pixels_is_neither_blind_nor_good():
    """5-way 1-shot over 100 characters, 10 drawings: well above chance, well below learning."""
    glyphs = np.stack([drawings_of(a, c, 10) for a in range(ALPHABETS) for c in range(4)])
    flat = glyphs.reshape(len(glyphs), 10, -1).astype(np.float64)
    rng = np.random.default_rng(0)
    right = []
    for _ in range(400):
        chosen = flat[rng.choice(len(flat), 5, replace=False)]
        support, query = chosen[:, 0], chosen[:, 1:]
        distance = ((query[:, :, None] - support[None, None]) ** 2).sum(-1)
        right.append((distance.argmin(-1) == np.arange(5)[:, None]).mean())
    assert 0.5 < np.mean(right) < 0.8
