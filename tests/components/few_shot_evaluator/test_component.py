import json

from tfx.types import channel_utils, standard_artifacts

from components.few_shot_evaluator.component import FewShotEvaluator
from components.few_shot_evaluator.options import EvaluationOptions


def channel(kind):
    return channel_utils.as_channel([kind()])


def test_outputs_are_standard_artifacts_and_parameters_are_strings():
    component = FewShotEvaluator(
        examples=channel(standard_artifacts.Examples),
        model=channel(standard_artifacts.Model),
        options=EvaluationOptions(threshold=0.9),
        code_version="abc",
    )
    kinds = {name: output.type_name for name, output in component.outputs.items()}
    assert kinds == {"evaluation": "ModelEvaluation", "blessing": "ModelBlessing"}
    assert component.exec_properties["code_version"] == "abc"
    assert json.loads(component.exec_properties["config_json"])["threshold"] == 0.9


def test_by_default_no_threshold():
    component = FewShotEvaluator(
        examples=channel(standard_artifacts.Examples),
        model=channel(standard_artifacts.Model),
        baseline_model=channel(standard_artifacts.Model),
        model_run=channel(standard_artifacts.ModelRun),
    )
    assert json.loads(component.exec_properties["config_json"])["threshold"] is None
