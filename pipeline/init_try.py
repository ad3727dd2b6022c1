"""`fewshot init --try`: a short comparison of the learners that suit the data."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from components.episodes.record import EpisodeSetRecord
    from pipeline.compare.trial import Result


def choose_learner(
    values: Mapping[str, Any],
    learners: Mapping[str, Mapping[str, Any]],
    *,
    folder: Path,
    minutes: float,
    console: Console,
) -> str:
    """Meta-trains each learner on the same episodes and names the best on meta-validation.

    The test episodes take no part in the choice, so that the accuracy of a run on them is not the
    best of several. The best of the evaluator's plain scripts is shown beside, on the same
    meta-validation episodes.

    Args:
      values: the sections of the configuration.
      learners: sections `learner`, by name, the first choice first: it wins a tie.
      folder: where episodes, models and results are kept, for a comparison that is continued.
      minutes: duration of all meta-training, shared evenly.
      console: where progress is printed.

    Raises:
      UserError: the data cannot be used with this configuration.
    """
    from components.meta_trainer.build import assemble
    from components.single_threaded import use_single_threaded_operations
    from pipeline.compare.comparison import make_episodes
    from pipeline.compare.trial import plan_trial, read_result, run_trial
    from pipeline.config import build_config

    started = time.monotonic()
    use_single_threaded_operations()
    tried = {
        name: build_config({"name": "try", **values, "learner": learner})
        for name, learner in learners.items()
    }
    uri, seconds = str(folder / "episodes"), 60 * minutes / len(tried)
    console.print(f"comparing {', '.join(tried)}: {seconds:.0f} s of meta-training each")
    config = next(iter(tried.values()))
    record = make_episodes(config, uri)
    for one in tried.values():  # one that does not fit is refused before any trains
        assemble(record, one.learner)
    scores: dict[str, float] = {}
    for name, one in tried.items():
        trial = plan_trial(name, one, record, uri=uri, folder=folder, seconds=seconds)
        # What a trial scores on test episodes is not looked at.
        trial = trial._replace(evaluation_episodes=1)
        result = read_result(trial) or run_trial(trial)
        scores[name] = validation_score(result)
        console.print(
            f"{name}: meta-validation {scores[name]:.4f} "
            f"({result.steps} steps in {result.seconds:.0f} s)"
        )
    best = max(scores, key=scores.__getitem__)
    episodes = config.training.eval_episodes
    script, of_script = best_script(uri, record, episodes)
    side = "ahead of" if scores[best] > of_script else "not ahead of"
    console.print(
        f"{best} is chosen: {scores[best]:.4f} on {episodes} meta-validation episodes, {side} the "
        f"best plain script, {script}: {of_script:.4f}. A run compares them on test episodes. "
        f"{(time.monotonic() - started) / 60:.1f} minutes",
        soft_wrap=True,
    )
    return best


def validation_score(result: "Result") -> float:
    """The best score on meta-validation episodes, that of the weights that were exported."""
    return max(entry["eval_score"] for entry in result.history)


def best_script(uri: str, record: "EpisodeSetRecord", episodes: int) -> tuple[str, float]:
    """The best baseline of the evaluator on the first meta-validation episodes, in words."""
    from components.few_shot_evaluator.classification import baselines

    scores = baselines.score_split(uri, record, "eval", episodes)
    best = max(scores, key=lambda name: float(scores[name].mean()))
    return baselines.words_of(record.example_spec)[best], float(scores[best].mean())
