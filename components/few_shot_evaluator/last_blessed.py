"""The earlier model that a new one is compared with: the best, so that none falls behind it."""

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

CANDIDATE, BLESSINGS = "candidate", "model_blessing"
SCORE, TASK = "score", "task"
"""Custom properties of a blessing: its model's score, more is better, and what it was scored on."""


class BestOtherBlessedModelStrategy(LatestBlessedModelStrategy):
    """Finds the best model, other than the candidate, ever blessed for the task of the latest.

    The best and not the latest, or each release could be worse than the one before by the tolerance
    of blessing, and ten releases by ten. Two scores are of one task if their test classes, ways and
    shots are equal. The candidate is then compared with that model on the same episodes, so its old
    score only chooses it.

    With the stock strategy a pipeline that runs again unchanged finds its own model as the last
    blessed one, which the first run did not: the evaluator's inputs differ, so it and all steps
    after it run again instead of being cached.

    A Resolver with this strategy takes `model`, `model_blessing`, and the model just trained as its
    further input `candidate`.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Resolves as the stock strategy does, given the best blessing of its task alone."""
        candidates = input_dict[CANDIDATE]
        excluded = {model.id for model in candidates}
        others = {
            key: [one for one in artifacts if one.id not in excluded]
            for key, artifacts in input_dict.items()
            if key != CANDIDATE
        }
        models = {model.id for model in others["model"]}
        blessings = [
            one
            for one in others[BLESSINGS]
            if one.get_int_custom_property("blessed")
            and one.get_int_custom_property("current_model_id") in models
        ]
        if blessings:
            latest = max(blessings, key=lambda one: one.id)
            task = latest.get_string_custom_property(TASK)
            alike = [one for one in blessings if one.get_string_custom_property(TASK) == task]
            best = max(alike, key=lambda one: (one.get_float_custom_property(SCORE), one.id))
            others[BLESSINGS] = [best]
        resolved = super().resolve_artifacts(store, others)
        return None if resolved is None else resolved | {CANDIDATE: candidates}
