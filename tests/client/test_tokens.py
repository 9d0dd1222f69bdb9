from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.client.tokens import FileTokenStore, MemoryTokenStore
from nio_identity_server.flows.store import TokenStore

ALICE, BOB = "@alice:example.org", "@bob:example.org"
ONE, TWO = "https://one.example", "https://two.example"


def names(folder: Path) -> list[str]:
    """What is in a folder, besides the file that keeps other processes out."""
    return [each.name for each in folder.iterdir() if not each.name.endswith(".lock")]


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture(name="store", params=["memory", "file"])
def _store(request: pytest.FixtureRequest, path: Path) -> TokenStore:
    return MemoryTokenStore() if request.param == "memory" else FileTokenStore(path)


def mode(path: Path) -> int:
    """The permission bits."""
    return path.stat().st_mode & 0o777


def test_a_token_is_kept_for_its_user_and_its_server(store: TokenStore) -> None:
    """Two users at two servers never see each other's."""
    for number, (user, server) in enumerate(_pairs()):
        assert store.load(user, server) is None
        store.save(user, server, f"token{number}")
    assert [store.load(*pair) for pair in _pairs()] == ["token0", "token1", "token2", "token3"]
    assert store.load(ALICE, f"{ONE}/") is None
    assert store.load(ONE, ALICE) is None


def test_a_token_is_replaced_and_forgotten(store: TokenStore) -> None:
    """Forgetting what is not there is no error, and takes nothing else along."""
    for pair in _pairs():
        store.save(*pair, "old")
    store.save(ALICE, ONE, "new")
    store.save(BOB, TWO, None)
    store.save(BOB, TWO, None)
    store.save("@carol:example.org", ONE, None)
    assert [store.load(*pair) for pair in _pairs()] == ["new", "old", "old", None]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ALICE, BOB]), st.sampled_from([ONE, TWO]), st.text())))
def test_both_stores_hold_the_same(saved: list[tuple[str, str, str]]) -> None:
    """After any saves; an empty text forgets nothing, it is stored."""
    with tempfile.TemporaryDirectory() as folder:
        memory, file = MemoryTokenStore(), FileTokenStore(Path(folder) / "tokens")
        for each in saved:
            memory.save(*each)
            file.save(*each)
        for pair in _pairs():
            assert memory.load(*pair) == file.load(*pair)


def test_tokens_in_memory_are_not_shown() -> None:
    """The printed form of a store holds none."""
    store = MemoryTokenStore()
    store.save(ALICE, ONE, "canary")
    assert "canary" not in repr(store)


def test_tokens_in_a_file_outlive_the_store(path: Path) -> None:
    """Another store of the same path, as a text or a path, finds them."""
    FileTokenStore(path).save(ALICE, ONE, "token")
    assert FileTokenStore(str(path)).load(ALICE, ONE) == "token"
    assert 'token"' not in repr(FileTokenStore(path))


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    """Whatever the umask; also when it is replaced."""
    old = os.umask(0)
    try:
        for token in ("one", "two"):
            FileTokenStore(path).save(ALICE, ONE, token)
            assert mode(path) == 0o600
    finally:
        os.umask(old)
    assert names(path.parent) == [path.name]


def test_nothing_is_written_if_nothing_changes(path: Path) -> None:
    """Forgetting what nobody knows makes no file, and saving the same token no other file."""
    store = FileTokenStore(path)
    store.save(ALICE, ONE, None)
    assert not path.exists()
    store.save(ALICE, ONE, "token")
    before = path.stat().st_ino
    store.save(ALICE, ONE, "token")
    assert path.stat().st_ino == before


def test_a_user_without_tokens_leaves_no_trace(path: Path) -> None:
    """Not even the user's id."""
    store = FileTokenStore(path)
    store.save(ALICE, ONE, "token")
    store.save(ALICE, ONE, None)
    assert json.loads(path.read_bytes()) == {}


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o660, 0o602, 0o601, 0o610, 0o777])
def test_a_file_that_others_can_reach_is_refused(path: Path, bits: int) -> None:
    """Read or write: the tokens in it may be anybody's. It is left as it was."""
    text = json.dumps({ALICE: {ONE: "token"}})
    path.write_text(text)
    path.chmod(bits)
    with pytest.raises(PermissionError, match="chmod 600") as caught:
        FileTokenStore(path).load(ALICE, ONE)
    with pytest.raises(PermissionError):
        FileTokenStore(path).save(ALICE, ONE, "other")
    assert (path.read_text(), mode(path)) == (text, bits)
    assert 'token"' not in str(caught.value)
    assert names(path.parent) == [path.name]


def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever laid it there knows the tokens in it."""
    FileTokenStore(path).save(ALICE, ONE, "token")
    before = path.read_bytes()
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(PermissionError):
        FileTokenStore(path).load(ALICE, ONE)
    with pytest.raises(PermissionError):
        FileTokenStore(path).save(ALICE, ONE, "other")
    assert path.read_bytes() == before


@pytest.mark.parametrize("target", ["tokens of ours", "nothing"])
def test_a_link_is_refused(path: Path, tmp_path: Path, target: str) -> None:
    """It would lead to a file of somebody's choice; neither it nor its target changes."""
    real = tmp_path / "real"
    if target != "nothing":
        FileTokenStore(real).save(ALICE, ONE, "token")
    path.symlink_to(real)
    for act in _both(path):
        with pytest.raises(OSError, match="symbolic links"):
            act()
    assert path.is_symlink()
    assert real.exists() == (target != "nothing")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"5",
        b'"x"',
        b'{"@alice:example.org": null}',
        b'{"@alice:example.org": "token"}',
        b'{"@alice:example.org": ["token"]}',
        b'{"@alice:example.org": {"https://one.example": null}}',
        b'{"@alice:example.org": {"https://one.example": {"a": "b"}}}',
        b'{"@alice:example.org": {"https://one.example": "tok',
        b"[" * 100_000,
    ],
)
def test_a_file_of_something_else_is_refused(path: Path, data: bytes) -> None:
    """And not overwritten: it may be something that somebody still needs."""
    path.write_bytes(data)
    path.chmod(0o600)
    for act in _both(path):
        with pytest.raises(ValueError, match="is no token file"):
            act()
    assert path.read_bytes() == data


@pytest.mark.parametrize("fault", ["fsync", "replace", "interrupt"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_write_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, exists: bool
) -> None:
    """At whatever step: the file holds the old tokens, and nothing lies beside it."""
    store = FileTokenStore(path)
    if exists:
        store.save(ALICE, ONE, "old")

    def fail(*_: Any, **__: Any) -> None:
        if fault == "interrupt":
            raise KeyboardInterrupt
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        if fault == "replace":
            patch.setattr(Path, "replace", fail)
        else:
            patch.setattr(os, "fsync", fail)
        with pytest.raises(KeyboardInterrupt if fault == "interrupt" else OSError):
            store.save(ALICE, ONE, "new")
    assert store.load(ALICE, ONE) == ("old" if exists else None)
    assert names(path.parent) == [path.name] * exists
    store.save(ALICE, ONE, "new")
    assert store.load(ALICE, ONE) == "new"


def test_the_new_file_is_on_the_disk_before_it_takes_the_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else a power cut could leave an empty one."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        steps.append("fsync")
        fsync(descriptor)

    def note_replace(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    FileTokenStore(path).save(ALICE, ONE, "token")
    assert steps == ["fsync", "replace"]


def test_the_folder_must_exist(tmp_path: Path) -> None:
    """It is not made: with which permissions is for its owner to say."""
    store = FileTokenStore(tmp_path / "none" / "tokens")
    assert store.load(ALICE, ONE) is None
    with pytest.raises(FileNotFoundError):
        store.save(ALICE, ONE, "token")


def _pairs() -> list[tuple[str, str]]:
    return [(user, server) for user in (ALICE, BOB) for server in (ONE, TWO)]


def _both(path: Path) -> list[Callable[[], object]]:
    store = FileTokenStore(path)
    return [lambda: store.load(ALICE, ONE), lambda: store.save(ALICE, ONE, "other")]


def test_several_processes_lose_no_token_of_each_other(tmp_path: Path) -> None:
    """Reading the file and replacing it is one step for everybody else."""
    program = (
        "import sys; from nio_identity_server import FileTokenStore;"
        "store = FileTokenStore(sys.argv[1]);"
        "[store.save(f'@{sys.argv[2]}{each}:x', 'https://id', 'token') for each in range(20)]"
    )
    path = tmp_path / "tokens"
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name])  # noqa: S603 - ours
        for name in "abcd"
    ]
    assert [each.wait(60) for each in running] == [0] * 4
    assert len(json.loads(path.read_text())) == 80
