import numpy as np
import pytest

from components.few_shot_evaluator import metrics
from components.few_shot_evaluator.classification.classifiers import nearest_centroid
from components.tasks.classification import NO_PREDICTION, accuracy, keep_shots, predict_classes


def test_half_width_by_hand():
    # Mean 0.75; sample variance (4 * 0.0625) / 3; 1.96 * sqrt(0.08333) / 2.
    interval = metrics.mean_interval([0.5, 1.0, 0.5, 1.0])
    assert interval.mean == 0.75
    assert interval.half_width == pytest.approx(1.96 * np.sqrt(0.25 / 3) / 2)


def test_half_width_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):
        mean, half_width = metrics.mean_interval(rng.binomial(15, 0.8, 600) / 15)
        covered.append(abs(mean - 0.8) <= half_width)
    assert 0.93 < np.mean(covered) < 0.97


def test_one_episode_has_no_interval():
    with pytest.raises(ValueError, match="at least 2 episodes, got 1"):
        metrics.mean_interval([1.0])


def test_accuracy_counts_real_queries_only():
    probabilities = np.array([[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]])
    assert accuracy(probabilities, np.array([[0, 0, -1]])) == 0.5


def test_a_query_without_a_finite_answer_is_wrong():
    # argmax of NaNs would be class 0, which is the right one here.
    probabilities = np.array([[[np.nan, np.nan], [1.0, 0.0]]])
    predictions, confidences = predict_classes(probabilities)
    assert predictions.tolist() == [[NO_PREDICTION, 0]]
    assert confidences.tolist() == [[0.0, 1.0]]
    assert accuracy(probabilities, np.array([[0, 0]])) == 0.5


def test_calibration_error_by_hand():
    # Bin (0.5, 1]: 4 queries of confidence 0.8, half of them right; bin [0, 0.5]: one, right.
    calibration = metrics.calibration(
        np.array([0.8, 0.8, 0.8, 0.8, 0.5]), np.array([1, 0, 1, 0, 1], bool), bins=2
    )
    assert calibration.counts.tolist() == [1, 4]
    assert calibration.accuracy.tolist() == [1.0, 0.5]
    assert calibration.expected_error == pytest.approx(0.8 * 0.3 + 0.2 * 0.5)


def test_calibrated_answers_have_no_error():
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.2, 1.0, 200_000)
    correct = rng.uniform(size=200_000) < confidences
    assert metrics.calibration(confidences, correct, bins=15).expected_error < 0.01


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_every_confidence_has_a_bin(edge):
    assert metrics.calibration(np.array([edge]), np.array([True]), bins=15).counts.sum() == 1


def test_confusion_has_the_true_class_in_the_rows():
    predictions, labels = np.array([1, 1, 0, NO_PREDICTION, 0]), np.array([0, 1, 0, 1, -1])
    assert metrics.confusion(predictions, labels, ways=2).tolist() == [[1, 1], [0, 1]]


def test_keep_shots_keeps_the_first_of_every_class():
    support_y = np.array([[0, 1, 0, 1, 0], [1, -1, 1, 0, 0]], np.int32)
    assert keep_shots(support_y, 1).tolist() == [[0, 1, -1, -1, -1], [1, -1, -1, 0, -1]]
    assert keep_shots(support_y, 3).tolist() == support_y.tolist()


def test_fewer_shots():
    assert metrics.fewer_shots(1) == []
    assert metrics.fewer_shots(5) == [1, 2, 3]


def test_nearest_centroid_by_hand():
    support = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]])
    query = np.array([[1.0, 1.0], [7.0, 0.0]])
    assert nearest_centroid(support, np.array([0, 0, 2]), query, 3).tolist() == [0, 2]


def test_nearest_centroid_ignores_padding_and_absent_classes():
    support = np.array([[0.0], [5.0], [100.0]])
    labels = np.array([1, 2, -1])
    # The padding lies on the query; class 0 has a centroid of zeros only if it is not left out.
    assert nearest_centroid(support, labels, np.array([[100.0], [0.1]]), 3).tolist() == [2, 1]
