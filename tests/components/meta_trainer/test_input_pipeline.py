"""What the configuration must not ask of the data."""

import pytest

from components.episodes.record import EpisodeSetRecord
from components.errors import UserError
from components.meta_trainer.input_pipeline import training_episodes
from components.meta_trainer.options import AugmentOptions
from components.modalities.base import ExampleSpec

SPECS = {
    "image": ExampleSpec("image", "uint8", (4, 4, 1)),
    "text": ExampleSpec("text", "string", ()),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=8_000),
}


@pytest.mark.parametrize(
    ("option", "value", "modality"),
    [("rotate", True, "image"), ("speed", 0.1, "audio"), ("drop_words", 0.1, "text")],
)
def test_an_augmentation_of_another_modality_is_refused_before_anything_is_read(
    option, value, modality
):
    for other, spec in SPECS.items():
        if other == modality:
            continue
        record = EpisodeSetRecord(1, spec, 2, 1, 1, {}, 0, {}, {}, {})
        message = rf"`training\.augment\.{option}` can be set for {modality} only: .* {other}"
        with pytest.raises(UserError, match=message):
            training_episodes(
                "nowhere",
                record,
                episodes_per_step=1,
                augment=AugmentOptions(**{option: value}),
                seed=0,
            )


def test_inputs_are_not_varied_apart_from_their_targets():
    spec = ExampleSpec("image", "uint8", (4, 4, 1), target_shape=(4, 4, 1))
    record = EpisodeSetRecord(1, spec, 1, 1, 1, {}, 0, {}, {}, {})
    with pytest.raises(UserError, match="cannot be set for regression"):
        training_episodes(
            "nowhere", record, episodes_per_step=1, augment=AugmentOptions(rotate=True), seed=0
        )
