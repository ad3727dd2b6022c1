"""Generated tasks: the same for ever, and what their sources say they are."""

import numpy as np
import pytest

from components.episode_gen import targets
from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.preview import draw_episodes
from components.episode_gen.sources import REGRESSION_SOURCES, open_source
from components.episode_gen.sources.sinusoid import draw_sinusoid
from components.episode_gen.sources.styles import CHARACTERS, Style, apply_style, draw_style
from serving.errors import UserError

PLAIN = Style(width=0, slant=0, blur=0, texture=0, period=3, angle=0, ink=0, paper=1)


def tasks(source: str, **options) -> DataOptions:
    return DataOptions(source=source, tasks=12, examples_per_task=6, **options)


@pytest.mark.parametrize("name", REGRESSION_SOURCES)
def test_the_parts_hold_every_example_of_the_catalogue_once(name):
    source = open_source(tasks(name))
    read = {s.example_id: s.content for part in source.parts() for s in source.read(part)}
    assert sorted(read) == sorted(entry.example_id for entry in source.catalogue())
    again = {s.example_id: s.content for part in source.parts() for s in source.read(part)}
    assert read == again


@pytest.mark.parametrize("name", REGRESSION_SOURCES)
def test_an_episode_is_one_task_with_disjoint_support_and_query(name):
    options = EpisodeOptions(ways=1, shots=2, queries=3)
    checked = check_data(tasks(name), options)
    for episode in draw_episodes(checked, options, split="test", count=4):
        assert len(episode.class_names) == 1 and len(set(episode.example_ids)) == 5
        size = int(np.prod(checked.spec.target_shape))
        assert episode.support_y.shape == (2, size) and episode.query_y.shape == (3, size)
        assert episode.support_y.dtype == np.float32


def test_sinusoids_are_those_of_the_paper():
    for task in range(50):
        points = list(draw_sinusoid(np.random.RandomState([task]), 40))
        x, y = (np.concatenate(part) for part in zip(*points))
        assert (np.abs(x) <= 5).all() and (np.abs(y) <= 5).all()
        # A sin(x + phi) = a sin x + b cos x, exactly.
        basis = np.stack([np.sin(x), np.cos(x)], axis=1)
        (a, b), *_ = np.linalg.lstsq(basis, y, rcond=None)
        np.testing.assert_allclose(basis @ [a, b], y, atol=1e-9)
        assert 0.1 <= np.hypot(a, b) <= 5.0 and 0 <= np.arctan2(b, a) <= np.pi


def test_each_part_of_a_style_changes_what_it_says():
    image = np.ones((28, 28))
    image[6:22, 13:16] = 0.0
    ink = 1.0 - image
    np.testing.assert_allclose(apply_style(image, PLAIN), image, atol=1e-6)
    inverted = apply_style(image, PLAIN._replace(ink=1.0, paper=0.0))
    np.testing.assert_allclose(inverted, ink, atol=1e-6)
    wider = 1.0 - apply_style(image, PLAIN._replace(width=0.8))
    thinner = 1.0 - apply_style(image, PLAIN._replace(width=-0.6))
    assert thinner.sum() < ink.sum() < wider.sum()
    blurred = 1.0 - apply_style(image, PLAIN._replace(blur=1.0))
    np.testing.assert_allclose(blurred.sum(), ink.sum(), rtol=1e-3)
    assert blurred.max() < 1.0
    slanted = 1.0 - apply_style(image, PLAIN._replace(slant=0.4))
    columns = np.arange(28)
    top, bottom = (slanted[row] @ columns / slanted[row].sum() for row in (7, 20))
    assert abs((top - bottom) - 0.4 * 13) < 0.1
    assert (1.0 - apply_style(image, PLAIN._replace(texture=0.9))).sum() < 0.8 * ink.sum()


def test_styles_differ_and_stay_in_range():
    styles = [draw_style(np.random.RandomState([task])) for task in range(200)]
    assert len(set(styles)) == 200
    inverted = sum(style.ink > style.paper for style in styles)
    assert 60 < inverted < 140
    source = open_source(tasks("styles"))
    for stored in source.read(source.parts()[0]):
        _, target = targets.split(stored.content, source.spec)
        assert target.min() >= 0.0 and target.max() <= 1.0


def test_more_characters_than_there_are():
    with pytest.raises(UserError, match="must be at most the 500 characters"):
        open_source(DataOptions(source="styles", examples_per_task=CHARACTERS + 1))


def test_the_option_invert_is_part_of_what_styles_are():
    assert open_source(tasks("styles", invert=True)).spec.invert
    assert not open_source(tasks("styles")).spec.invert
