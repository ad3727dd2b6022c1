import json

from pipeline.summary import unfit_for_serving


def test_a_refused_model_is_told_by_the_checks_that_failed(tmp_path):
    checks = [
        {"check": "loads in a C++ session", "passed": True, "detail": ""},
        {"check": "ignores padding", "passed": False, "detail": "0.1 apart"},
    ]
    (tmp_path / "checks.json").write_text(json.dumps({"blessed": False, "checks": checks}))
    assert unfit_for_serving(str(tmp_path)) == ["Not fit for serving: ignores padding: 0.1 apart"]
