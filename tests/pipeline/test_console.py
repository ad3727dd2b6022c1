"""How a failure, a full disk and Ctrl-C are reported: a sentence, a status, the rest in the log."""

import logging
from pathlib import Path

import pytest

from pipeline.console import FAILED, STOPPED, console_session
from serving.errors import UserError


def ended(folder: Path, error: BaseException) -> int:
    with pytest.raises(SystemExit) as end, console_session("run", folder / "out" / "pipeline.log"):
        raise error
    return end.value.code


def test_a_failure_is_a_sentence_and_its_trace_is_in_the_log(tmp_path, capfd):
    assert ended(tmp_path, ValueError("the oven is [cold]\nand more")) == FAILED
    log = tmp_path / "out" / "pipeline.log"
    shown = "failed: ValueError: the oven is [cold]\n" + f"see {log}\n"
    assert capfd.readouterr().err == shown
    assert "Traceback" in log.read_text() and "and more" in log.read_text()


def test_ctrl_c_says_how_to_go_on(tmp_path, capfd):
    assert ended(tmp_path, KeyboardInterrupt()) == STOPPED
    assert capfd.readouterr().err == "stopped: the same command continues the run\n"


def test_a_users_mistake_is_left_to_the_command_line(tmp_path):
    with pytest.raises(UserError), console_session("run", tmp_path / "pipeline.log"):
        raise UserError("`data.path` must be a folder.")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_folder_that_cannot_be_is_a_mistake(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(UserError, match="`--output-dir` must be a folder that can be written"),
        console_session("run", tmp_path / place / "pipeline.log"),
    ):
        pass
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_reported_once(tmp_path, capfd):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pipeline.log").symlink_to("/dev/full")
    with pytest.raises(SystemExit), console_session("run", tmp_path / "out" / "pipeline.log"):
        logging.getLogger("step").info("one of many messages")
        raise OSError(28, "No space left on device")
    shown = capfd.readouterr().err
    assert shown.startswith("failed: OSError: [Errno 28] No space left") and shown.count("\n") == 2
