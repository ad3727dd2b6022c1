"""The examples of components/episode_gen/README.md, and what a user's own source may get wrong."""

import json
import re
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import yaml

from components.episode_gen.check import CheckedData, check_data
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import DataOptions, EpisodeGenConfig, EpisodeOptions
from components.episode_gen.preview import draw_episodes
from components.episode_gen.sources.in_memory import InMemorySource
from components.episodes.record import read_record
from components.modalities.base import ExampleSpec
from serving.errors import UserError

PAGE = Path(__file__).parents[3] / "components" / "episode_gen" / "README.md"
EXAMPLE = re.compile(r"```python\n(.*?)```.*?```yaml\n(.*?)```", re.DOTALL)
EXAMPLES = [
    (python, yaml.safe_load(configuration))
    for python, configuration in EXAMPLE.findall(PAGE.read_text())
]
RNG = np.random.default_rng(0)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder, with the data that the page's examples read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    species = np.repeat([f"species {number}" for number in range(15)], 4)
    np.savez("flowers.npz", sizes=RNG.normal(size=(60, 4)), species=species)
    tickets = [{"message": f"help {n}", "queue": f"queue {n % 10}"} for n in range(30)]
    Path("tickets.json").write_text(json.dumps({"tickets": tickets}))
    Path("shapes").mkdir()
    for number in range(8):
        images = RNG.integers(0, 256, (5, 16, 16, 1), dtype=np.uint8)
        np.save(f"shapes/shape_{number}.npy", images)
    return tmp_path


def check(configuration: dict) -> tuple[CheckedData, EpisodeGenConfig]:
    counts = {"train": 6, "eval": 2, "test": 2}
    episodes = configuration["episodes"] | {"counts": counts}
    config = EpisodeGenConfig.from_json(json.dumps(configuration | {"episodes": episodes}))
    return check_data(config.data, config.episodes), config


@pytest.mark.parametrize(("python", "configuration"), EXAMPLES)
def test_every_example_of_the_page_runs(here, python, configuration):
    name = python.splitlines()[0].removeprefix("# ")
    (here / name).write_text(python)
    checked, config = check(configuration)
    read = {s.example_id: s.content for p in checked.source.parts() for s in checked.source.read(p)}
    assert sorted(read) == sorted(entry.example_id for entry in checked.source.catalogue())
    generate_episodes(
        config,
        uri=str(here / "examples"),
        work=str(here / "work"),
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )
    assert read_record(str(here / "examples")).example_spec == checked.spec
    # A change of the user's file draws the episodes anew.
    (here / name).write_text(python + "\n")
    assert check(configuration)[0].fingerprint != checked.fingerprint


def test_the_command_on_the_page_is_one():
    from pipeline.data_command import data

    (command,) = re.findall(r"fewshot data (\w+)", PAGE.read_text())
    assert command in data.commands


def test_the_page_has_examples_of_each_kind():
    names = [python.splitlines()[0] for python, _ in EXAMPLES]
    assert names == ["# flowers.py", "# rooms.py", "# tickets.py", "# shapes.py"]


def test_what_a_user_names_must_be_there(here):
    with pytest.raises(UserError, match=r"`data\.source` .* ModuleNotFoundError: .*'nowhere_at'"):
        check_data(DataOptions(source="nowhere_at.all"), EpisodeOptions())


@pytest.mark.parametrize(("targets", "ways"), [(False, 1), (True, 2)])
def test_ways_must_fit_what_the_source_turns_out_to_give(here, targets, ways):
    module = f"kind_{targets}"
    given = ", targets=list(range(60))" if targets else ""
    Path(f"{module}.py").write_text(
        "from components.episode_gen.sources.in_memory import InMemorySource\n"
        f"def mine(data): return InMemorySource([0.5] * 60, [n // 4 for n in range(60)]{given})\n"
    )
    episodes = EpisodeOptions(ways=ways, shots=1, queries=1)
    with pytest.raises(UserError, match=r"`episodes\.ways` must be"):
        check_data(DataOptions(source=f"{module}.mine"), episodes)


def test_what_is_in_memory_is_what_is_in_the_episodes(here):
    Path("grey.py").write_text(
        "import numpy as np\n"
        "from components.episode_gen.sources.in_memory import InMemorySource\n"
        "images = np.arange(60, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)\n"
        "def mine(data): return InMemorySource(images, [n // 4 for n in range(60)])\n"
    )
    episodes = EpisodeOptions(ways=2, shots=1, queries=1)
    checked = check_data(DataOptions(source="grey.mine"), episodes)
    assert checked.spec == ExampleSpec("image", "uint8", (4, 4, 1))
    (episode,) = draw_episodes(checked, episodes, split="test", count=1)
    examples = [*episode.support_x, *episode.query_x]
    assert [int(x[0, 0, 0]) for x in examples] == list(map(int, episode.example_ids))
    labels = [*episode.support_y, *episode.query_y]
    assert [episode.class_names[y] for y in labels] == [
        str(int(name) // 4) for name in episode.example_ids
    ]


SOUND = ExampleSpec("audio", "float32", (None,), sample_rate=8_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": [1.0, 2.0]}, "`inputs` must be as many as `labels`: got 2 and 3"),
        ({"groups": ["a"]}, "`groups` must be as many as `labels`: got 1 and 3"),
        ({"targets": [[1.0]]}, "`targets` must be as many as `labels`: got 1 and 3"),
        ({"inputs": np.zeros((3, 4, 5), np.uint8)}, r"square images .* \[3, 4, 5, 1\]"),
        ({"inputs": np.zeros(3, complex)}, "number 0 is complex128"),
        ({"inputs": [1.0, np.nan, 2.0]}, "must be finite: number 1 has a NaN"),
        ({"targets": [1.0, 2.0, np.inf]}, "`targets` must be finite: number 2"),
        (
            {"inputs": np.zeros((3, 2, 2, 1)), "spec": ExampleSpec("image", "uint8", (2, 2, 1))},
            r"each be uint8 \[2, 2, 1\]: number 0 is float64",
        ),
        ({"inputs": ["a", "?!", "b"]}, "texts with words: of number 1, it has no letter or digit"),
        ({"inputs": ["a", "b", None]}, "of number 2, it is a NoneType, no text"),
        ({"inputs": [np.zeros(5), np.zeros((5, 2)), np.zeros(5)], "spec": SOUND}, "number 1 is"),
    ],
)
def test_examples_that_are_not_what_they_must_be_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        InMemorySource(**{"inputs": [1.0, 2.0, 3.0], "labels": ["a", "b", "c"]} | arguments)


def test_the_fingerprint_sees_every_part():
    labels, groups = ["a", "b"], ["g", "h"]
    prints = {
        InMemorySource([1.0, 2.0], labels).fingerprint(),
        InMemorySource([1.0, 2.5], labels).fingerprint(),
        InMemorySource([1.0, 2.0], ["a", "a"]).fingerprint(),
        InMemorySource([1.0, 2.0], labels, groups=groups).fingerprint(),
        InMemorySource([1.0, 2.0], labels, targets=[[0.0], [1.0]]).fingerprint(),
    }
    assert len(prints) == 5
