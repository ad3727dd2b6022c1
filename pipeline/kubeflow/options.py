"""The configuration section `kubeflow`. Only `fewshot compile` and `fewshot submit` read it."""

import dataclasses
import re

from pydantic import Field

from components.options import options_class
from serving.errors import UserError

# What Kubernetes calls a quantity, as far as CPU and memory need it: 500m, 2, 1.5, 8Gi, 500M.
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")


@options_class
class StepOptions:
    """What one step asks of the cluster; null leaves it to `every_step`, else to the cluster."""

    cpu_request: str | None = None
    """CPU that the step is given, as Kubernetes writes it: "500m", "4"."""
    cpu_limit: str | None = None
    """CPU that it may not exceed."""
    memory_request: str | None = None
    """Memory that the step is given: "512Mi", "8Gi"."""
    memory_limit: str | None = None
    """Memory that it may not exceed."""
    gpus: int | None = Field(default=None, ge=0)
    """How many GPUs."""
    gpu_type: str | None = None
    """The resource that a device plug-in offers, as "nvidia.com/gpu"."""
    retries: int | None = Field(default=None, ge=0, le=12)
    """How often a failed step is tried again, after 30 s, 1 min, 2 min, ...; all attempts together
    may take 30 days. Meta-training goes on from its last checkpoint."""
    node_selector: dict[str, str] | None = None
    """Labels that the node must have."""
    tolerations: tuple[dict[str, str], ...] | None = None
    """Taints that the step tolerates, each a mapping with key, operator, value, effect."""

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


@options_class
class KubeflowOptions:
    """How the pipeline lies on the cluster."""

    volume: str | None = "fewshot"
    """A PersistentVolumeClaim (ReadWriteMany where steps run on several nodes) mounted into every
    step; null for none."""
    shared_dir: str = "/fewshot"
    """Where it is mounted; `checkpoints/` and, by default, `serving_model/` lie there. With
    `volume` null it may be a gs:// location."""
    serving_dir: str | None = None
    """The folder of the model's versions, which servers watch: a path below `shared_dir`, or a
    gs://, s3:// or minio:// location; null for `shared_dir`/serving_model/<model name>."""
    secrets: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Environment variables from Kubernetes secrets, {secret: {VARIABLE: key}}."""
    direct: bool = False
    """Read and write gs:// artifacts where they are, rather than the launcher's copies on the
    step's own disk. Needed where Beam's workers run elsewhere (Dataflow, Flink, Spark)."""
    every_step: StepOptions = StepOptions(
        cpu_request="500m", memory_request="2Gi", memory_limit="8Gi", retries=1
    )
    """What each step asks for."""
    steps: dict[str, StepOptions] = Field(default_factory=dict)
    """What single steps ask for instead, by component: {Trainer: {memory_limit: 16Gi}}."""

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

    @property
    def keeps_files(self) -> bool:
        """Whether a step finds in `shared_dir` what another wrote."""
        return bool(self.volume) or not self.shared_dir.startswith("/")

    def of_step(self, component: str) -> StepOptions:
        """What a component asks for."""
        return self.steps.get(component, StepOptions()).over(self.every_step)

    def serving_location(self, model_name: str) -> str:
        """Location of the folder of the model's versions."""
        return self.serving_dir or f"{self.shared_dir}/serving_model/{model_name}"
