import json

from pipeline.summary import kept_places, newest_version, unfit_for_serving, without_points


def test_a_refused_model_is_told_by_the_checks_that_failed(tmp_path):
    checks = [
        {"check": "loads in a C++ session", "passed": True, "detail": ""},
        {"check": "ignores padding", "passed": False, "detail": "0.1 apart"},
    ]
    (tmp_path / "checks.json").write_text(json.dumps({"blessed": False, "checks": checks}))
    assert unfit_for_serving(str(tmp_path)) == ["Not fit for serving: ignores padding: 0.1 apart"]


def test_the_summary_holds_the_numbers_of_an_entry_without_the_points_of_its_figures():
    entry = {"log_loss": 0.5, "bins": [1], "by_largest_probability": {"f1": 0.4, "curve": [2]}}
    expected = {"log_loss": 0.5, "by_largest_probability": {"f1": 0.4}}
    assert without_points(entry) == expected and without_points(None) is None


def test_what_is_kept_beside_a_pushed_version_is_written_once(tmp_path):
    """A later run that finds all cached names the same version, and leaves its files alone."""
    version = tmp_path / "serving_model/small/7"
    version.mkdir(parents=True)
    own = f"{tmp_path}/history/later/"
    assert kept_places(tmp_path, "later", str(version)) == [own, f"{version}."]
    version.with_name("7.summary.json").touch()
    assert kept_places(tmp_path, "later", str(version)) == [own]
    assert kept_places(tmp_path, "later", None) == [own]
    assert newest_version(version.parent) == str(version)
    assert newest_version(tmp_path / "nothing") is None
