"""Which earlier model a new one is compared with."""

from tfx.types import standard_artifacts

from components.few_shot_evaluator.last_blessed import BestOtherBlessedModelStrategy


def model(number: int) -> standard_artifacts.Model:
    made = standard_artifacts.Model()
    made.id = number
    return made


def blessing(number: int, score: float | None, task: str = "letters", blessed: int = 1):
    made = standard_artifacts.ModelBlessing()
    made.id = 100 + number
    made.set_int_custom_property("blessed", blessed)
    made.set_int_custom_property("current_model_id", number)
    if score is not None:
        made.set_float_custom_property("score", score)
        made.set_string_custom_property("task", task)
    return made


def chosen(*blessings, candidate: int = 9) -> list[int]:
    models = [model(one.get_int_custom_property("current_model_id")) for one in blessings]
    resolved = BestOtherBlessedModelStrategy().resolve_artifacts(
        None,
        {
            "model": [*models, model(candidate)],
            "model_blessing": list(blessings),
            "candidate": [model(candidate)],
        },
    )
    return [one.id for one in resolved["model"]]


def test_releases_do_not_slide_down_by_one_tolerance_each():
    assert chosen(blessing(1, 0.90), blessing(2, 0.89), blessing(3, 0.88)) == [1]


def test_the_best_counts_among_the_blessed_of_the_latest_task():
    assert chosen(blessing(1, 0.99, "digits"), blessing(2, 0.8), blessing(3, 0.7)) == [2]
    assert chosen(blessing(1, 0.8), blessing(2, 0.95, blessed=0)) == [1]
    assert chosen(blessing(1, 0.8), blessing(9, 0.95)) == [1]  # not the candidate itself
    assert chosen(blessing(1, 0.8, blessed=0)) == chosen() == []


def test_blessings_without_a_score_are_taken_by_their_age():
    assert chosen(blessing(1, None), blessing(2, None)) == [2]
