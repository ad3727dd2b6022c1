"""Names that people chose are drawn as they are."""

from components.few_shot_evaluator.figures import bars


def test_names_are_no_formulas():
    rows = [("$x^{$", 0.5, 0.1), ("<b>", 0.4, 0.1)]
    svg = bars(rows, score_format=".2f", longest=0.5, right=1.0, line=None)
    assert "$x^{$" in svg and "&lt;b&gt;" in svg
