"""The earlier model that a new one is compared with."""

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

CANDIDATE = "candidate"


class LatestOtherBlessedModelStrategy(LatestBlessedModelStrategy):
    """Finds the latest blessed model other than the candidate.

    With the stock strategy a pipeline that runs again unchanged finds its own model as the last
    blessed one, which the first run did not: the evaluator's inputs differ, so it and all steps
    after it run again instead of being cached.

    A Resolver with this strategy takes the model just trained as its further input `candidate`.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Resolves as the stock strategy does, leaving out the models under `candidate`."""
        candidates = input_dict[CANDIDATE]
        excluded = {model.id for model in candidates}
        others = {
            key: [one for one in artifacts if one.id not in excluded]
            for key, artifacts in input_dict.items()
            if key != CANDIDATE
        }
        resolved = super().resolve_artifacts(store, others)
        return None if resolved is None else resolved | {CANDIDATE: candidates}
