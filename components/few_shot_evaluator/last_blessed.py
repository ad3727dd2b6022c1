"""Which earlier model a new one is compared with."""

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

CANDIDATE = "candidate"


class LatestOtherBlessedModelStrategy(LatestBlessedModelStrategy):
    """The latest blessed model other than the one that is judged.

    With the stock strategy a pipeline that runs again with nothing changed finds its own model as
    the last blessed one, which it had not the first time: the evaluator's inputs differ, and it and
    all after it run again instead of being cached.

    ## Example
    ```
    resolver = Resolver(
        strategy_class=LatestOtherBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
        candidate=trainer.outputs["model"],
    )
    ```
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """As the stock strategy, without the models under `candidate`; that key stays as it is."""
        candidates = input_dict[CANDIDATE]
        judged = {model.id for model in candidates}
        others = {
            key: [one for one in artifacts if one.id not in judged]
            for key, artifacts in input_dict.items()
            if key != CANDIDATE
        }
        resolved = super().resolve_artifacts(store, others)
        return None if resolved is None else resolved | {CANDIDATE: candidates}
