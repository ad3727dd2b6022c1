"""A look at the data before anything runs: the size of a source, and some of its episodes."""

import statistics

import numpy as np

from components.episode_gen.assemble import assemble
from components.episode_gen.check import CheckedData
from components.episode_gen.options import EpisodeOptions
from components.episode_gen.table import make_planner
from components.episodes.format import Episode, decode_episode
from components.modalities.base import ExampleSpec


def summarise(checked: CheckedData) -> dict[str, str]:
    """The contents of a source as the rows of a table: name -> value."""
    sizes = [len(ids) for ids in checked.catalogue.examples.values()]
    groups = set(checked.catalogue.groups.values())
    shape = " x ".join("any" if size is None else str(size) for size in checked.spec.shape)
    rate = checked.spec.sample_rate and f"of {checked.spec.sample_rate} samples a second"
    each = (
        str(sizes[0])
        if min(sizes) == max(sizes)
        else f"{min(sizes)} to {max(sizes)}, median {statistics.median(sizes):g}"
    )
    return {
        "modality": f"{checked.spec.modality} {rate or shape}".strip(),
        "examples": f"{sum(sizes):,}",
        "classes": f"{len(sizes):,}",
        "examples per class": each,
        "groups": f"{len(groups):,}" if groups else "none",
    } | {f"{split} classes": f"{len(names):,}" for split, names in checked.splits.items()}


def draw_episodes(
    checked: CheckedData, episodes: EpisodeOptions, *, split: str, count: int
) -> list[Episode]:
    """The first `count` episodes of a split, equal to those that EpisodeGen writes."""
    planner = make_planner(
        checked.spec, episodes, checked.catalogue, checked.splits, checked.across
    )
    wanted = {
        example_id
        for index in range(count)
        for example_id in planner.example_ids(split, planner.plan(split, index))
    }
    content: dict[str, bytes] = {}
    for part in checked.source.parts():
        content |= {s.example_id: s.content for s in checked.source.read(part) if s[0] in wanted}
        if len(content) == len(wanted):
            break
    return [
        decode_episode(assemble(planner, split, index, content.__getitem__), checked.spec)
        for index in range(count)
    ]


def describe(episode: Episode, spec: ExampleSpec) -> list[str]:
    """An episode as lines of text: its support set and its queries."""
    lines = [f"episode {episode.index}"]
    for part, examples, labels in (
        ("support", episode.support_x, episode.support_y),
        ("query", episode.query_x, episode.query_y),
    ):
        for x, y in zip(examples, labels):
            label = episode.class_names[y] if spec.has_classes else _short(y)
            lines.append(f"  {part:8}{_short(x)} -> {label}")
    return lines


def _short(value: object) -> str:
    """A text or an array in at most some sixty characters."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:60] + "...")
    array = np.asarray(value)
    if array.size > 6:
        size = " x ".join(map(str, array.shape))
        return f"{size} numbers, {array.min():.3g} to {array.max():.3g}"
    return ", ".join(f"{number:.3f}" for number in array.ravel())
