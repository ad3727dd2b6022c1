"""Rules for the names of images, pipelines and steps."""

import re

from serving.errors import UserError

# The grammar of the OCI distribution: [registry[:port]/]path[:tag][@digest].
_HOST = (
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:{_HOST}(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
# RFC 1123, the rule for Kubernetes objects and labels.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_image(text: str) -> bool:
    """Tells whether a text is an image reference: [registry/]name[:tag][@digest]."""
    return len(text) <= 255 and _IMAGE.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Tells whether a text is a label of Kubernetes: at most 63 letters, digits and hyphens."""
    return _LABEL.fullmatch(text) is not None


def check_image(image: str) -> None:
    """Raises UserError unless the text is an image reference."""
    if not is_image(image):
        raise UserError(
            "`--image` must be an image reference, [registry/]name[:tag], the name in lower case: "
            f"got {image!r}."
        )


def is_mutable(image: str) -> bool:
    """Tells whether an image reference has no tag or `latest`, which each build moves."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return not digest and tag in ("", "latest")


def check_fixed(image: str) -> None:
    """Raises UserError for an image reference that may name another image tomorrow."""
    if is_mutable(image):
        raise UserError(
            "`--image` must have a tag of its own for each build, or a digest, for Kubeflow reuses "
            f"a step's outputs while the image's name stays: got {image!r}; "
            "`--allow-mutable-tag` takes it all the same."
        )


def check_pipeline_name(name: str) -> None:
    """Raises UserError for a name that Kubernetes refuses."""
    if not is_label(name):
        raise UserError(
            "`name` must be at most 63 lower-case letters, digits and hyphens, the first and the "
            f"last no hyphen, as Kubernetes asks: got {name!r}."
        )


def step_name(component: str) -> str:
    """Returns the KFP SDK's name for a component: `FewShotEvaluator` -> `few-shot-evaluator`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", component).replace("_", "-").lower()
