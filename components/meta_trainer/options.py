"""What can be configured of meta-training: the sections `learner` and `training`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from components.meta_trainer import backbones, learners
from components.options import alternatives, build_options, options_class
from serving.errors import UserError


@options_class
class AugmentOptions:
    """How a training episode is varied each time it is used; labels are always permuted."""

    regroup: bool = True
    """Draw anew which examples of a class are support and which are query."""
    rotate: bool = False
    """Images: rotate each class of an episode by 0, 90, 180 or 270 degrees."""
    mirror: bool = False
    """Images: mirror each class of an episode or not."""
    affine: float = Field(default=0.0, ge=0, lt=0.5)
    """Images: stretch and shear each class by up to this share, each image by half of it."""
    speed: float = Field(default=0.0, ge=0, lt=1)
    """Audio: play each episode faster or slower by up to this share."""
    drop_words: float = Field(default=0.0, ge=0, lt=1)
    """Text: leave out each word with this probability."""


@options_class
class TrainingOptions:
    """How long and on how many episodes the learner is meta-trained."""

    steps: int = Field(default=2000, ge=0)
    """Meta-steps; the most that there are with `until: plateau`. 0 exports the initial weights, and
    is what a learner without weights takes, such as ProtoNet on a frozen encoder."""
    start_from: str | None = None
    """Begin with the weights of another model, of the same or other ways: the folder of a pushed
    model or of a run, its configuration, or zoo:NAME. Those of the same name and shape are taken;
    null to begin with the learner's own initial weights."""
    phrases: str | None = None
    """Of data with phrases: a UTF-8 text file with the phrases that the exported model chooses
    from, one a line; null for the 200 that most classes of `train` have. It becomes the model's
    `assets/phrases.txt`, which may be changed after training."""
    until: Literal["steps", "plateau"] = "steps"
    """steps: use the whole budget, `steps` or `max_seconds`. plateau: where the score on
    meta-validation no longer rises, go on from the best weights at a tenth of the learning rate,
    and at a further plateau end earlier; a schedule still goes by the whole budget."""
    rate_drops: int = Field(default=1, ge=0)
    """For `until: plateau`: how often the rate is lowered before a plateau ends meta-training."""
    patience: int = Field(default=5, ge=1)
    """For `until: plateau`: so many evaluations in a row without an improvement are a plateau."""
    min_improvement: float = Field(default=0.002, ge=0)
    """For `until: plateau`: an improvement is more than this above the last one, in units of the
    metric (accuracy, or squared error)."""
    episodes_per_step: int = Field(default=32, ge=1)
    """Episodes that one meta-gradient is averaged over (the papers' meta-batch)."""
    meta_learning_rate: float | None = Field(default=None, gt=0)
    """The outer learning rate; the learner's own default if null."""
    optimizer: Literal["adam", "adamw", "sgd", "momentum"] | None = None
    """The outer optimizer; the learner's own if null. With one, `meta_learning_rate` must be set
    too."""
    schedule: Literal["constant", "cosine", "linear"] | None = None
    """How the learning rate falls over meta-training, by steps or by time; the learner's own if
    null."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest global norm of a meta-gradient; the learner's own default if null."""
    eval_every: int = Field(default=200, ge=1)
    """Meta-steps between evaluations on meta-validation episodes."""
    eval_episodes: int = Field(default=200, ge=1)
    """How many of these episodes are used, always the same."""
    checkpoint_every: int = Field(default=200, ge=1)
    """Meta-steps between checkpoints; a killed run goes on from the last."""
    max_seconds: float | None = Field(default=None, gt=0)
    """End earlier when this much time is spent in meta-training; schedules end with it."""
    seed: int = 0
    """Seed of the initial weights and of all that varies from step to step."""
    jit_compile: bool = True
    """Compile the meta-step with XLA, where the backbone is one that it compiles well."""
    augment: AugmentOptions = AugmentOptions()
    """How training episodes are varied."""

    def __post_init__(self) -> None:
        if self.optimizer and not self.meta_learning_rate:
            raise UserError(
                f"`training.meta_learning_rate` must be set where `training.optimizer` is, since "
                f"a learning rate suits one optimizer: got {self.optimizer!r} and null."
            )


def learner_options(section: Mapping[str, Any]) -> tuple[str, Any]:
    """The learner's name and its checked options, from the section `learner`, else UserError."""
    return _lookup(section, learners, "learner", default="maml", skip={"name", "backbone"})


def backbone_options(section: Mapping[str, Any], default: str) -> tuple[str, Any]:
    """The backbone's name and its checked options, from `learner.backbone`, else UserError."""
    inner = section.get("backbone") or {}
    return _lookup(inner, backbones, "learner.backbone", default=default, skip={"name"})


def _lookup(section: Mapping[str, Any], table: Any, path: str, *, default: str, skip: set[str]):
    name = section.get("name", default)
    try:
        options, _ = table.lookup(str(name))
    except KeyError:
        known = ", ".join(sorted(table.TABLE))
        raise UserError(f"`{path}.name` must be one of {known}; got {name!r}.") from None
    given = {key: value for key, value in section.items() if key not in skip}
    fields = sorted(options.__dataclass_fields__)
    for key in given:
        if key not in fields:
            near = alternatives(key, fields)
            raise UserError(f"`{path}.{key}` is not an option of {name!r}; {near}")
    return name, build_options(options, given, path)
