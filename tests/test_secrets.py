"""Secrets at rest: the key file, what opens what, and rotation while others run."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from alerts.delivery.secrets import KeyRing
from alerts.errors import ConfigError

URL = "tgram://123:not-a-real-token/456"


def test_a_sealed_url_opens_again_and_hides_what_it_says(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys")
    token = ring.seal(URL)
    assert ring.unseal(token) == URL
    assert "not-a-real-token" not in token


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    KeyRing.open(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["keys"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    rings: list[KeyRing] = []
    threads = [threading.Thread(target=lambda: rings.append(KeyRing.open(tmp_path / "keys"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    token = rings[0].seal(URL)
    assert [ring.unseal(token) for ring in rings] == [URL] * 8


def test_old_secrets_open_after_a_rotation(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys")
    before = ring.seal(URL)
    ring.rotate()
    assert ring.unseal(before) == URL
    assert len((tmp_path / "keys").read_text().splitlines()) == 2


def test_a_resealed_secret_needs_the_newest_key_alone(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys")
    before = ring.seal(URL)
    ring.rotate()
    after = ring.reseal(before)
    newest = (tmp_path / "keys").read_text().splitlines()[0]
    (tmp_path / "keys").write_text(newest + "\n")
    alone = KeyRing.open(tmp_path / "keys")
    assert alone.unseal(after) == URL
    with pytest.raises(ConfigError, match="none of its 1 keys"):
        alone.unseal(before)


def test_a_running_process_opens_what_was_sealed_after_a_rotation_elsewhere(tmp_path: Path) -> None:
    running, other = KeyRing.open(tmp_path / "keys"), KeyRing.open(tmp_path / "keys")
    other.rotate()
    assert running.unseal(other.seal(URL)) == URL


def test_a_foreign_key_file_is_named_in_the_error(tmp_path: Path) -> None:
    token = KeyRing.open(tmp_path / "keys").seal(URL)
    with pytest.raises(ConfigError, match=r"other: none of its 1 keys opens a stored secret"):
        KeyRing.open(tmp_path / "other").unseal(token)


@pytest.mark.parametrize("token", ["", "plain text", "gAAAAA", "é", "\ud800"])
def test_nonsense_in_place_of_a_token_is_a_clear_error(tmp_path: Path, token: str) -> None:
    with pytest.raises(ConfigError, match="add the channel again"):
        KeyRing.open(tmp_path / "keys").unseal(token)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "holds no key"), (b"\n\n", "holds no key"), (b"short\n", "line 1 is no key"), (b"\xff\xfe", "not a key file")],
)
def test_a_damaged_key_file_names_itself_and_the_line(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        KeyRing.open(tmp_path / "keys")
    assert str(tmp_path / "keys") in str(caught.value)


def test_a_directory_in_place_of_the_key_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be readable"):
        KeyRing.open(tmp_path)
    with pytest.raises(ConfigError, match="must be writable"):
        KeyRing.open(tmp_path / "missing" / "keys")
