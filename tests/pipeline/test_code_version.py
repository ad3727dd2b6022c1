"""Cache keys: they change with all code that a step runs, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from pipeline.code_version import PACKAGES, ROOT, code_version, source_files

STEPS = {
    "EpisodeGen": "components.episode_gen.executor",
    "EpisodeValidator": "components.episode_validator.executor",
    "Trainer": "components.meta_trainer.run_fn",
    "FewShotEvaluator": "components.few_shot_evaluator.executor",
    "ServingValidator": "components.serving_validator.executor",
}
COMMAND_LINE_ONLY = (
    "components/episode_gen/sheet.py",
    "components/episode_gen/preview.py",
    "components/episode_gen/inspection/images.py",
    "components/episode_gen/component.py",
    "pipeline/console.py",
    "pipeline/pipeline.py",
    "serving/client/client.py",
)
EDITS = {
    # file: the steps whose keys its change changes
    "serving/atomic.py": set(STEPS),
    "serving/errors.py": set(STEPS),
    "serving/saved_model/signatures.py": set(STEPS),
    "serving/saved_model/warmup.py": {"Trainer", "ServingValidator"},
    "components/single_threaded.py": {"Trainer"},
    "components/episodes/format.py": set(STEPS),
    "components/meta_trainer/learners/protonet.py": {"Trainer"},
    "components/meta_trainer/backbones/resnet12.py": {"Trainer"},
    "components/meta_trainer/kernels/patches.py": {"Trainer"},
    "components/episode_gen/sampling.py": {"EpisodeGen"},
    "components/episode_gen/sources/tfds_features.py": {"EpisodeGen"},
    "components/episode_validator/checks.py": {"EpisodeValidator"},
    "components/few_shot_evaluator/page.html": {"FewShotEvaluator"},
    "components/few_shot_evaluator/classification/report.html": {"FewShotEvaluator"},
    "components/few_shot_evaluator/regression/report.py": {"FewShotEvaluator"},
    "serving/model_versions/pointer.py": {"FewShotEvaluator", "ServingValidator"},
    "components/serving_validator/probe.py": {"ServingValidator"},
    "components/serving_validator/bad_requests.py": {"ServingValidator"},
} | {file: set() for file in COMMAND_LINE_ONLY}


@pytest.fixture
def root(tmp_path) -> Path:
    """A copy of the project's packages."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def test_an_edit_changes_the_keys_of_the_steps_that_run_the_file(root):
    def keys() -> dict[str, str]:
        return {step: code_version(module, root=root) for step, module in STEPS.items()}

    changed = {}
    for file in EDITS:
        text = (root / file).read_text()
        before = keys()
        (root / file).write_text(text + "\n")
        changed[file] = {step for step, key in keys().items() if key != before[step]}
        (root / file).write_text(text)
    assert changed == EDITS


def test_the_pipeline_gives_each_step_the_key_of_its_own_code(tmp_path):
    import json

    from pipeline.config import load_config
    from pipeline.pipeline import create_pipeline

    created = create_pipeline(
        load_config(ROOT / "pipeline/configs/glyphs_5w1s.yaml"),
        pipeline_root=str(tmp_path),
        serving_dir=str(tmp_path),
        checkpoint_root=str(tmp_path),
    )
    keys = {}
    for component in created.components:
        properties = component.exec_properties
        if component.id == "Trainer":
            properties = json.loads(properties["custom_config"])
        if component.id in STEPS:
            keys[component.id] = properties["code_version"]
            if component.id != "Trainer":
                assert component.executor_spec.class_path.startswith(STEPS[component.id])
    assert keys == {step: code_version(module) for step, module in STEPS.items()}


@pytest.mark.parametrize(
    "line",
    [
        "import components.b",
        "import components.b as b",
        "from components import b",
        "from . import b",
        "from .b import name",
        "from components.b import name",
        "def f():\n    from components import b",
        "import importlib\nTABLE = {'name': 'b'}",
        "command = ['python', '-m', 'components.b']",
    ],
)
def test_every_way_to_import_is_seen(tmp_path, line):
    folder = tmp_path / "components"
    folder.mkdir()
    (folder / "__init__.py").write_text("from components import always\n")
    (folder / "a.py").write_text(f"{line}\n")
    (folder / "b.py").write_text("from components import c\n")
    for name in "c", "always", "never":
        (folder / f"{name}.py").write_text("import numpy, components.a\n")
    files = {f"components/{name}.py" for name in ("__init__", "always", "a", "b", "c")}
    assert set(source_files("components.a", root=tmp_path)) == files


def test_a_module_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ModuleNotFoundError, match=r"components\.nothing"):
        code_version("components.nothing", root=tmp_path)
