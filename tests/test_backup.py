"""A backup holds everything a service needs to go on elsewhere, and a damaged one changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.errors import ConfigError, StateError
from alerts.models import DeliveryStatus
from alerts.pipeline.expand import expand
from alerts.state.server import running
from tests.harness import Rig, a_rig, claim_all, entry, watched_rig


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Rig]:
    """A service on an empty store and data directory."""
    folder = tmp_path / "new"
    folder.mkdir()
    with running(folder / "store", folder / "s", memory_mb=64) as url, a_rig(url, folder) as made:
        yield made


def pending(rig: Rig) -> None:
    """One new item whose deliveries wait to be sent."""
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    while expand(rig.tools):
        pass


def backed_up(rig: Rig, tmp_path: Path) -> Path:
    """A backup of what the rig holds."""
    path = tmp_path / "tocsin.backup"
    rig.service.backup(path)
    return path


def listing(rig: Rig) -> dict[str, object]:
    """What a person sees of a service."""
    service = rig.service
    sources = [(view.source, view.state) for view in service.sources()]
    alerts = [view.alert for view in service.alerts()]
    return {
        **service.export(),
        "sources": sources,
        "alerts": alerts,
        "items": service.items(),
        "marks": rig.tools.state.marks("harbour"),
        "deliveries": [(d.delivery_id, d.status, d.attempts, d.reason) for d in rig.deliveries()],
    }


def test_a_restored_service_lists_the_same_and_its_pending_deliveries_go_out(rig: Rig, new: Rig, tmp_path: Path) -> None:
    rig.channel("owner-desk")
    rig.service.add_subscriber("night", "Night desk")
    rig.publish("harbour", entry(3), entry(1))
    pending(rig)
    assert new.service.restore(backed_up(rig, tmp_path)) > 10
    assert listing(new) == listing(rig)
    before = len(rig.sink.got)
    new.deliver()
    assert {d.status for d in new.deliveries()} == {DeliveryStatus.SENT}
    assert rig.sink.titles[before:] == [entry(2)["title"]] * 2


def test_a_restored_service_finds_and_rings_nothing_twice(rig: Rig, new: Rig, tmp_path: Path) -> None:
    rig.publish("harbour", entry(2), entry(1))
    new.service.restore(backed_up(rig, tmp_path))
    assert new.tools.baselines.knows("harbour")
    new.run("harbour")
    assert len(rig.sink.got) == 1
    rig.show("harbour", entry(3), entry(2), entry(1))
    new.run("harbour")
    assert rig.sink.titles == [entry(2)["title"], entry(3)["title"]]


def test_what_was_being_sent_at_the_backup_is_sent_again_and_marked(rig: Rig, new: Rig, tmp_path: Path) -> None:
    pending(rig)
    claim_all(rig.store, "busy")
    new.service.restore(backed_up(rig, tmp_path))
    new.deliver()
    assert [message["is_repeat"] for message in rig.sink.got] == [True]


def test_a_store_that_is_not_empty_is_not_restored_into(rig: Rig, tmp_path: Path) -> None:
    path = backed_up(rig, tmp_path)
    before = listing(rig)
    with pytest.raises(StateError, match="not empty; restore into a new data directory"):
        rig.service.restore(path)
    assert listing(rig) == before


def test_an_existing_file_is_not_overwritten(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="does not exist yet"):
        rig.service.backup(path)
    assert path.read_text() == "mine"


def test_a_directory_that_is_not_there_is_said(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        rig.service.backup(tmp_path / "nowhere" / "backup")


def test_a_backup_can_be_read_by_its_owner_only(rig: Rig, tmp_path: Path) -> None:
    assert backed_up(rig, tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_backup_holds_no_channel_url_in_clear_and_no_leases(rig: Rig, tmp_path: Path) -> None:
    text = backed_up(rig, tmp_path).read_text()
    assert rig.sink.server.url() not in text
    names = [json.loads(line).get("key", "") for line in text.splitlines()]
    assert not [n for n in names if n.startswith(("lease", "sifter", "owners", "wake"))]


def test_a_backup_of_a_newer_version_is_refused(rig: Rig, new: Rig, tmp_path: Path) -> None:
    path = backed_up(rig, tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "schema": 99}), *lines[1:]]))
    with pytest.raises(ConfigError, match=r"schema 99.*install the newer version"):
        new.service.restore(path)
    assert new.service.rules() == []


def cut_off(text: str, what: str) -> str:
    """A backup that was not written to its end, or was damaged."""
    lines = text.splitlines()
    match what:
        case "before the keys":
            return "\n".join(lines[:-1])
        case "in the keys":
            return text.rstrip()[:-20]
        case "in the middle":
            return "\n".join([*lines[:5], lines[5][:20], *lines[6:]])
        case "a line of another kind":
            return "\n".join([*lines[:5], '{"key": "x", "type": "list", "value": []}', *lines[5:]])
        case "no channel key":
            return "\n".join([*lines[:-1], '{"keys": "not-a-key"}'])
        case "a line that is a number":
            return "\n".join([*lines[:5], "7", *lines[5:]])
    raise AssertionError(what)


@pytest.mark.parametrize(
    "what", ["before the keys", "in the keys", "in the middle", "a line of another kind", "a line that is a number", "no channel key"]
)
def test_a_damaged_backup_is_refused_and_nothing_is_restored(rig: Rig, new: Rig, tmp_path: Path, what: str) -> None:
    path = backed_up(rig, tmp_path)
    whole = path.read_text()
    path.write_text(cut_off(whole, what))
    with pytest.raises(ConfigError, match=r"line|cut off"):
        new.service.restore(path)
    assert new.service.rules() == []
    path.write_text(whole)
    assert new.service.restore(path) > 5


@pytest.mark.parametrize(
    "content", ["", "\n", "{}", "[]", "hello", '{"format": "tocsin-backup"}', '{"format": "tocsin-backup", "schema": "1"}']
)
def test_what_is_no_backup_is_refused(new: Rig, tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(ConfigError, match="line 1"):
        new.service.restore(path)


def test_a_file_that_cannot_be_read_is_refused(new: Rig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        new.service.restore(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="directory"):
        new.service.restore(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        new.service.restore(binary)
