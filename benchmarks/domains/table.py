"""The results as a Markdown table."""

from typing import Any, NamedTuple

from benchmarks import markdown


class Run(NamedTuple):
    """A run of a shipped configuration with some changes.

    In these, STATIC_TEXT, LITE0 and EMOJI are paths: of a table of token vectors, of an encoder of
    pictures, and of the folder of emoji.
    """

    domains: str
    start: str  # what the network begins from
    configuration: str
    changes: tuple[str, ...] = ()


NOTHING = "nothing"
RUNS = {
    "alphabets": Run("alphabets (Omniglot)", NOTHING, "domains_omniglot_alphabet_5w1s"),
    "scripts": Run("scripts (CMATERdb)", NOTHING, "domains_cmaterdb_5w5s"),
    "intents": Run("intents by domain (CLINC150)", NOTHING, "domains_clinc_5w1s"),
    "intents_static_text": Run(
        "intents by domain (CLINC150)",
        "a table distilled from MiniLM",
        "domains_clinc_5w1s",
        (
            "learner.backbone={name: static_text, path: STATIC_TEXT}",
            "training.augment={}",
        ),
    ),
    "speakers": Run("speakers (spoken digits)", NOTHING, "speech_new_speaker_5w5s"),
    "speakers_embedding": Run(
        "speakers (spoken digits)", "Google's speech embedding, frozen", "speech_embedding_5w5s"
    ),
    "drawing_styles": Run(
        "drawing styles (emoji)", NOTHING, "domains_emoji_hand_5w1s", ("data.path=EMOJI",)
    ),
    "drawing_styles_lite0": Run(
        "drawing styles (emoji)",
        "EfficientNet-Lite0, frozen",
        "domains_emoji_hand_5w1s",
        (
            "data.path=EMOJI",
            "learner.backbone={name: saved_model, path: LITE0}",
            "training.steps=0",
        ),
    ),
}
"""Name of a run -> what it is."""


def table(results: dict[str, Any]) -> str:
    """Formats one row for each run that was measured."""
    titles = [
        "domains",
        "begun from",
        "task",
        "known domains",
        "new domains",
        "drop, by episode",
        "drop, by class",
        "tested on",
        "commit",
    ]
    runs = results.get("runs", {})
    rows = [_row(RUNS[name], runs[name]) for name in RUNS if name in runs]
    return markdown.table(titles, rows)


def _row(run: Run, measured: dict[str, Any]) -> list[str]:
    within, test = measured["within_domain"], measured["test"]
    by_class = within["drop_ci95_by_class"]
    groups, classes = measured["test_groups"], measured["test_classes"]
    return [
        run.domains,
        run.start,
        f"{measured['ways']}w{measured['shots']}s, {measured['learner']}",
        _interval(within["accuracy"], within["ci95_by_class"]),
        _interval(test["accuracy"], test["ci95_by_class"]),
        f"{within['drop']:+.3f} ± {within['drop_ci95']:.3f}",
        f"± {by_class:.3f}" if by_class is not None else "too few classes",
        f"{groups} domain{'s' * (groups != 1)}, {classes} classes",
        measured["commit"],
    ]


def _interval(accuracy: float, half_width: float | None) -> str:
    return f"{accuracy:.3f}" + (f" ± {half_width:.3f}" if half_width is not None else "")
