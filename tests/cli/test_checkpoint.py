"""A file of results that can be gone on with."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nio_identity_server.cli.checkpoint import Progress, StandardOutput, open_sink
from nio_identity_server.cli.endings import ExitCode, Failure

DONE = Progress(entries=2, digest="d", found=1, invalid=0, server="s", form="text")


def begun(folder: Path) -> Path:
    """A file with some results that are kept, and some that were written too late."""
    path = folder / "out"
    with open_sink(path, resume=False) as sink:
        sink.write("one\n")
        sink.commit(DONE)
        sink.write("too late\n")
    return path


def at_once(path: Path, *, resume: bool) -> Progress:
    """Begin, and end at once without anything that was missing."""
    with open_sink(path, resume=resume) as sink:
        sink.finish()
        return sink.begun


def test_going_on(tmp_path: Path) -> None:
    """What was written after the last note is cut off, and the rest is added."""
    path = begun(tmp_path)
    assert path.read_text() == "one\ntoo late\n"

    with open_sink(path, resume=True) as sink:
        assert (sink.begun.entries, sink.begun.size) == (2, 4)
        sink.write("two\n")
        sink.finish()

    assert path.read_text() == "one\ntwo\n"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_interrupted_before_anything_was_done(tmp_path: Path) -> None:
    """It can be gone on with from the first moment."""
    path = tmp_path / "out"
    with open_sink(path, resume=False):
        pass

    assert at_once(path, resume=True) == Progress()


def test_resume_without_an_earlier_run(tmp_path: Path) -> None:
    """The same command does for the first time and for every other."""
    assert at_once(tmp_path / "out", resume=True) == Progress()


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    """Whether it can be gone on with is told."""
    path = begun(tmp_path)
    with pytest.raises(Failure, match="is there already: --resume goes on with it") as caught:
        at_once(path, resume=False)
    assert caught.value.exit_code == ExitCode.FAILED

    (tmp_path / "out.progress").unlink()
    for resume in (True, False):
        with pytest.raises(Failure, match="is there already: remove it or name another"):
            at_once(path, resume=resume)


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to go on with."""
    with open_sink(None, resume=False) as sink:
        sink.write("one\n")
        sink.commit(DONE)
        sink.finish()

    assert sink == StandardOutput()
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize("text", ["", "{}{}", '{"entries":"two"}', "\xff"])
def test_a_note_that_says_nothing(tmp_path: Path, text: str) -> None:
    """A damaged note ends it: nobody knows what is done."""
    path = begun(tmp_path)
    (tmp_path / "out.progress").write_text(text, encoding="latin-1")
    with pytest.raises(Failure, match="does not say how far the lookup came"):
        at_once(path, resume=True)


def test_the_note_is_private(tmp_path: Path) -> None:
    """Only the owner can read it."""
    begun(tmp_path)

    assert stat.S_IMODE((tmp_path / "out.progress").stat().st_mode) == 0o600
