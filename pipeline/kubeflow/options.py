"""The configuration section `kubeflow`. Only `fewshot compile` and `fewshot submit` read it."""

import dataclasses
import re
from typing import Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from serving.errors import UserError

STRICT: Any = {"extra": "forbid", "strict": True}
# What Kubernetes calls a quantity, as far as CPU and memory need it: 500m, 2, 1.5, 8Gi, 500M.
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")


@dataclass(frozen=True, config=STRICT)
class StepOptions:
    """What one step asks of the cluster; null leaves it to `every_step`, else to the cluster.

    Attributes:
      cpu_request, cpu_limit: as Kubernetes writes them: "500m", "4".
      memory_request, memory_limit: "512Mi", "8Gi".
      gpus: how many.
      gpu_type: the resource that a device plug-in offers.
      retries: how often a failed step is tried again. Meta-training goes on where it was.
      node_selector: labels that the node must have.
      tolerations: each a mapping with key, operator, value, effect.
    """

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None
    gpus: int | None = Field(default=None, ge=0)
    gpu_type: str | None = None
    retries: int | None = Field(default=None, ge=0)
    node_selector: dict[str, str] | None = None
    tolerations: tuple[dict[str, str], ...] | None = None

    def __post_init__(self) -> None:
        for name in ("cpu_request", "cpu_limit", "memory_request", "memory_limit"):
            value = getattr(self, name)
            if value is not None and not _QUANTITY.fullmatch(value):
                raise UserError(
                    f"`kubeflow...{name}` must be a Kubernetes quantity, as 500m or 8Gi: "
                    f"got {value!r}."
                )

    def over(self, other: "StepOptions") -> "StepOptions":
        """These settings, and those of `other` where they are null."""
        given = {k: v for k, v in dataclasses.asdict(self).items() if v is not None}  # type: ignore[call-overload]
        return dataclasses.replace(other, **given)  # type: ignore[type-var]


@dataclass(frozen=True, config=STRICT)
class KubeflowOptions:
    """How the pipeline lies on the cluster.

    Attributes:
      volume: a PersistentVolumeClaim (ReadWriteMany where steps run on several nodes) mounted
        into every step; null for none.
      shared_dir: where it is mounted; `checkpoints/` and, by default, `serving_model/` lie there.
        With `volume` null it may be a gs:// location.
      serving_dir: the folder of the model's versions, which servers watch: a path below
        `shared_dir`, or a gs://, s3:// or minio:// location; null for
        `shared_dir`/serving_model/<model name>.
      secrets: environment variables from Kubernetes secrets, {secret: {VARIABLE: key}}.
      direct: read and write gs:// artifacts where they are, rather than the launcher's copies on
        the step's own disk. Needed where Beam's workers run elsewhere (Dataflow, Flink, Spark).
      every_step: what each step asks for.
      steps: what single steps ask for instead, by component: {Trainer: {memory_limit: 16Gi}}.
    """

    volume: str | None = "fewshot"
    shared_dir: str = "/fewshot"
    serving_dir: str | None = None
    secrets: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    direct: bool = False
    every_step: StepOptions = dataclasses.field(
        default_factory=lambda: StepOptions(
            cpu_request="500m", memory_request="2Gi", memory_limit="8Gi", retries=1
        )
    )
    steps: dict[str, StepOptions] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.shared_dir.startswith(("/", "gs://")):
            raise UserError(
                "`kubeflow.shared_dir` must be an absolute path or a gs:// location, which "
                f"TensorFlow writes checkpoints to: got {self.shared_dir!r}."
            )
        if self.volume and not self.shared_dir.startswith("/"):
            raise UserError(
                "`kubeflow.shared_dir` must be an absolute path where `kubeflow.volume` is mounted:"
                f" got {self.shared_dir!r}; set `kubeflow.volume` to null, or give a path."
            )

    def of_step(self, component: str) -> StepOptions:
        """What a component asks for."""
        return self.steps.get(component, StepOptions()).over(self.every_step)

    def serving_location(self, model_name: str) -> str:
        return self.serving_dir or f"{self.shared_dir}/serving_model/{model_name}"
