from tests.components.few_shot_evaluator.conftest import examples_uri, saved

__all__ = ["examples_uri", "saved"]
