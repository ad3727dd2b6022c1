import pytest

from pipeline.kubeflow import names
from serving.errors import UserError


@pytest.mark.parametrize(
    "image",
    [
        "fewshot",
        "fewshot:1.2",
        "registry.example:5000/team/fewshot:v1",
        "ghcr.io/team/few_shot@sha256:" + "a" * 64,
        "localhost/fewshot",
    ],
)
def test_image_references_are_taken(image):
    names.check_image(image)


@pytest.mark.parametrize(
    "image", ["", "Fewshot:1", "few shot", "fewshot:", "fewshot:a b", "http://x/fewshot", "a//b"]
)
def test_what_is_no_image_reference_is_refused(image):
    with pytest.raises(UserError, match="`--image` must be an image reference"):
        names.check_image(image)


@pytest.mark.parametrize(
    "image, mutable",
    [
        ("fewshot", True),
        ("fewshot:latest", True),
        ("registry.example:5000/team/fewshot", True),
        ("fewshot:0.1", False),
        ("registry.example:5000/team/fewshot:latest-2", False),
        ("fewshot@sha256:" + "a" * 64, False),
        ("fewshot:latest@sha256:" + "a" * 64, False),
    ],
)
def test_a_tag_that_each_build_moves_is_refused(image, mutable):
    names.check_image(image)
    assert names.is_mutable(image) == mutable
    if mutable:
        with pytest.raises(UserError, match="`--image` must have a tag of its own"):
            names.check_fixed(image)


@pytest.mark.parametrize("name", ["my_pipeline", "Glyphs", "glyphs-", "-glyphs", "", "a" * 64])
def test_pipeline_names_that_kubernetes_refuses_are_refused(name):
    with pytest.raises(UserError, match="as Kubernetes asks"):
        names.check_pipeline_name(name)


def test_steps_are_named_as_the_sdk_names_them():
    assert names.step_name("FewShotEvaluator") == "few-shot-evaluator"
    assert names.step_name("Pusher") == "pusher"
