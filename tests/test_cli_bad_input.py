"""Nonsense given to any command: one clear error on stderr, exit code 2, and the store stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from tests.command import commands, desk, done, snapshot, tocsin

MEGABYTE = "x" * 1_000_000
ITEM = '{"id": "1", "title": "Ferry aground off Tripoli, Lebanon", "source": "harbour", "time": "2026-03-01T12:00:00Z"}\n'

FILES: dict[str, bytes] = {
    "latin1": "name = 'Müller'".encode("latin-1"),
    "nul": b"\0\0\0\0",
    "broken.toml": b"[[rule]\nid = 1\n",
    "deep.toml": b"rule = " + b"[" * 5000 + b"]" * 5000,
    "table.toml": b"[rules]\nid = 'x'\n",
    "numbers.toml": b"rule = 5\nsource = 5\nchannel = 'x'\n",
    "wrong_type.toml": b"[[rule]]\nid = 'x'\nquery = 5\n",
    "unknown_key.toml": b"[[source]]\nid = 'x'\nurl = 'https://a.example/'\ncolour = 'red'\n",
    "bad_query.toml": b"[[rule]]\nid = 'x'\nquery = '(a OR'\n",
    "bad_region.toml": b"[[rule]]\nid = 'x'\nquery = 'region:Lemuria'\n",
    "bad_channel.toml": b"[[subscriber]]\nid = 'new'\n[[source]]\nid = 'new'\nurl = 'https://a.example/'\n"
    b"[[channel]]\nid = 'new'\nurl = 'gopher://x'\n",
    "masked.toml": b"[[subscriber]]\nid = 'new'\n[[channel]]\nid = 'new'\nurl = 'ntfys://ntfy.example/***'\n",
    "bad_slug.toml": b"[[source]]\nid = 'fresh'\nurl = 'https://a.example/'\n[[subscriber]]\nid = 'A B'\n",
    "nobody.toml": b"[[source]]\nid = 'fresh'\nurl = 'https://a.example/'\n"
    b"[[channel]]\nid = 'c'\nurl = 'console:'\nsubscriber = 'nobody'\n",
    "twice.toml": b"[[channel]]\nid = 'c'\nurl = 'console:'\n[[channel]]\nid = 'c'\nurl = 'console:json'\n",
    "escape.toml": b"[[source]]\nid = 'x'\nurl = 'https://a.example/'\nname = \"a\\u001b[31mb\"\n",
    "not.jsonl": b'{"id": "1", "query": "x"}\n{"id"\n',
    "list.jsonl": b"[1, 2]\n",
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "number.jsonl": b'{"id": ' + b"9" * 6000 + b"}\n",
    "nan.jsonl": b'{"id": "1", "title": "x", "text": "x", "a": NaN, "time": NaN}\n',
    "typed.jsonl": b'{"id": "1", "title": 5, "text": ["x"], "a": {}, "b": 1, "time": [], "source": 1}\n',
    "empty.jsonl": b"{}\n",
    "utf16.jsonl": ITEM.encode("utf-16"),
    "items.jsonl": ITEM.encode(),
    "time.jsonl": b'{"id": "1", "title": "x", "source": "s", "time": "yesterday"}\n',
    "home.jsonl": b'{"id": "1", "title": "x", "text": "x", "source": "s", "time": 1, "source_region": "Lemuria"}\n',
    "page.html": b"<html><body><p>Nothing here</p></body></html>",
    "not.opml": b"<rss></rss>",
    "other.backup": b'{"format": "something else"}\n',
    "newer.backup": b'{"format": "tocsin-backup", "schema": 999}\n',
    "cut.backup": b'{"format": "tocsin-backup", "schema": 1}\n{"key": "rules", "type": "hash", "value": []}\n',
    "broken.backup": b'{"format": "tocsin-backup", "schema": 1}\n{"key": 1}\n{"keys": ""}\n',
    "keyless.backup": b'{"format": "tocsin-backup", "schema": 1}\n{"keys": "nonsense"}\n',
}

# A FILE that is wrong for everybody; each with what the error says of it.
NO_FILES = {"{missing}": "No such file", "{folder}": "directory", "{device}": "device", "{inside}": "Not a directory"}
TEXT_FILES = NO_FILES | {"{latin1}": "UTF-8"}

# What has to be said of each wrong input: arguments -> words of the error. "{x}" is a file of FILES.
ARGUMENTS: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "up": {("--nope",): "--nope", ("extra",): "extra"},
    "demo": {("--seconds", wrong): "--seconds" for wrong in ("x", "-1", "nan", "1e99")},
    "beat": {("extra",): "extra"},
    "web": {("--port", "1"): "--port"},
    "worker": {(): "--queue", ("--queue", "everything"): "sift", ("--queue", ""): "--queue"},
    "status": {("extra",): "extra", ("--jsn",): "--jsn"},
    "doctor": {("extra",): "extra"},
    "export": {("file",): "file"},
    "items": {
        ("--limit", "0"): "--limit",
        ("--limit", "9" * 40): "100000",
        ("--limit", "ten"): "--limit",
        ("--retry", "nobody-knows"): "nobody-knows",
        ("--retry", "a\x1bb"): "dead item",
    },
    "replay": {
        (): "directory",
        ("{missing}",): "index.tsv",
        ("{page.html}",): "Not a directory",
        ("{folder}",): "index.tsv",
        ("{history}", "--speed", "nan"): "--speed",
        ("{history}", "--speed", "0"): "--speed",
        ("{history}",): "line 2",
        ("{nul_history}",): "line 2",
        ("{good_history}", "--rules", "{missing}"): "No such file",
        ("{good_history}", "--report", "{folder}"): "directory",
    },
    "apply": {
        (): "--file",
        **{("-f", file): words for file, words in TEXT_FILES.items()},
        ("-f", "{nul}"): "not TOML",
        ("-f", "{broken.toml}"): "line 1",
        ("-f", "{deep.toml}"): "not TOML",
        ("-f", "{table.toml}"): "rules: unknown table",
        ("-f", "{numbers.toml}"): "[[source]]",
        ("-f", "{wrong_type.toml}"): "query",
        ("-f", "{unknown_key.toml}"): "colour",
        ("-f", "{bad_query.toml}"): "column",
        ("-f", "{bad_region.toml}"): "Lemuria",
        ("-f", "{bad_channel.toml}"): "gopher",
        ("-f", "{masked.toml}"): "with its secrets",
        ("-f", "{bad_slug.toml}"): "A B",
        ("-f", "{nobody.toml}"): "nobody",
        ("-f", "{twice.toml}"): "twice",
        ("-f", "{escape.toml}"): "name",
        ("--if-changed", "-f", "{folder}"): "directory",
        ("--if-changed", "-f", "{broken.toml}"): "line 1",
    },
    "backup": {(): "file", ("{folder}",): "exists", ("{page.html}",): "exists", ("{inside}",): "Not a directory"},
    "restore": {
        (): "file",
        **{(file,): words for file, words in TEXT_FILES.items()},
        ("{nul}",): "not a Tocsin backup",
        ("{page.html}",): "not a Tocsin backup",
        ("{other.backup}",): "header",
        ("{newer.backup}",): "schema 999",
        ("{cut.backup}",): "cut off",
        ("{keyless.backup}",): "key",
    },
    "sources add": {
        (): "url",
        ("",): "url",
        ("ftp://a.example/",): "http",
        ("https://",): "url",
        ("https://a.example/\x1b[2J",): "url",
        ("https://u:p@a.example/",): "headers",
        ("https://a.example/" + MEGABYTE,): "2000",
        ("https://a.example/", "--id", "A B"): "id",
        ("https://a.example/", "--id", "x\ny"): "id",
        ("https://a.example/", "--id", "../../etc"): "id",
        ("https://a.example/", "--name", "a\x07b"): "name",
        ("https://a.example/", "--name", MEGABYTE): "name",
        ("https://a.example/", "--language", "klingon"): "language",
        ("https://a.example/", "--region", "Lebanon"): "region",
        ("https://a.example/", "--kind", "gopher"): "ticker",
        ("https://a.example/", "--kind", "ticker"): "selectors",
        ("https://a.example/", "--kind", "ticker", "--item", "li["): "li[",
        ("https://a.example/", "--kind", "json", "--item", "a["): "a[",
        ("https://a.example/", "--kind", "ticker", "--item", "li", "--canary", "::"): "canary",
        ("https://a.example/", "--kind", "ticker", "--text", "b"): "item",
        ("https://a.example/", "--floor-s", "nan"): "floor_s",
        ("https://a.example/", "--floor-s", "0"): "floor_s",
        ("https://a.example/", "--floor-s", "1e99"): "floor_s",
        ("https://a.example/", "--floor-s", "9", "--ceiling-s", "8"): "ceiling_s",
    },
    "sources import": {(): "file", **{(f,): w for f, w in NO_FILES.items()}, ("{nul}",): "OPML", ("{not.opml}",): "OPML"},
    "sources list": {("x",): "x"},
    "sources show": {("nobody",): "nobody", ("",): "''", ("a\x1b[31m",): "sources list", (MEGABYTE,): "no source"},
    "sources probe": {("",): "http", ("file:///etc/passwd",): "http", ("https://a b/",): "http", ("http://[::1",): "http"},
    "sources read": {("nobody",): "nobody"},
    "sources parse": {
        (): "file",
        **{(file,): words for file, words in NO_FILES.items()},
        ("{nul}",): "{nul}",
        ("{page.html}",): "feed",
        ("{page.html}", "--kind", "ticker"): "--item",
        ("{page.html}", "--kind", "ticker", "--item", "li["): "li[",
        ("{page.html}", "--kind", "ticker", "--item", "p", "--canary", ".gone"): ".gone",
        ("{page.html}", "--kind", "json", "--item", "a"): "JSON",
        ("{items.jsonl}", "--kind", "json", "--item", "a["): "a[",
        ("{page.html}", "--base-url", "nowhere"): "--base-url",
    },
    "sources pause": {("nobody",): "nobody"},
    "sources resume": {("nobody",): "nobody"},
    "sources remove": {("nobody",): "nobody", ("",): "''"},
    "rules add": {
        (): "query",
        ("",): "column",
        ("(a OR b",): "column 1",
        ("a b)",): "column",
        ('"open',): "column",
        ("a\x00b",): "NUL",
        ("a\x1bb",): "column",
        ("region:Lemuria",): "Lemuria",
        ("colour:red",): "colour",
        ("urgency:9",): "urgency",
        ("(" * 5000 + "a" + ")" * 5000,): "column",
        ("a OR " * 300 + "a",): "operands",
        (MEGABYTE,): "column",
        ("/(a+)+$/" * 200,): "column",
        ("*a*",): "column",
        ("\udcff",): "UTF-8",
        ("fire", "--id", "A B"): "A B",
        ("fire", "--id", "x" * 65): "64",
        ("fire", "--name", "a\nb"): "name",
        ("fire", "--channel", "nobody"): "nobody",
        ("fire", "--subscriber", "nobody"): "nobody",
        ("fire", "--cooldown", "soon"): "cooldown",
        ("fire", "--expires", "never"): "expires",
        ("fire", "--note", "x" * 5000): "note",
    },
    "rules list": {("--subscriber", "nobody"): "nobody", ("--subscriber", ""): "''"},
    "rules test": {
        ("fire",): "--text",
        ("fire", "--text", ""): "empty",
        ("(", "--text", "x"): "column",
        ("fire", "--text", "x", "--home", "Lebanon"): "ISO",
        ("region:Lemuria", "--text", "x"): "Lemuria",
    },
    "rules preview": {
        ("(",): "column",
        ("region:Lemuria",): "Lemuria",
        ("fire", "--days", "0"): "days",
        ("fire", "--days", "many"): "--days",
    },
    "rules form": {
        (): "either",
        ("fire", "--all", "storm"): "either",
        ("(",): "column",
        ("~fire",): "no form",
        ("--all", "?!"): "column",
        ("--region", "Lemuria"): "Lemuria",
    },
    "rules check": {
        **{(file,): words for file, words in TEXT_FILES.items()},
        ("{broken.toml}",): "line 1",
        ("{wrong_type.toml}",): "query",
        ("{bad_query.toml}",): "column",
        ("{bad_region.toml}",): "bad_region.toml",
        ("{not.jsonl}",): "not.jsonl:2",
    },
    "rules match": {
        **{("{items.jsonl}", "--rules", file): words for file, words in TEXT_FILES.items()},
        ("{items.jsonl}", "--rules", "{broken.toml}"): "line 1",
        ("{items.jsonl}", "--rules", "{wrong_type.toml}"): "query",
        ("{items.jsonl}", "--rules", "{bad_region.toml}"): "bad_region.toml",
        ("{items.jsonl}", "--rules", "{not.jsonl}"): "not.jsonl:2",
        ("{items.jsonl}", "--rules", "{list.jsonl}"): "object",
        ("{items.jsonl}", "--rules", "{deep.jsonl}"): "not JSON",
        ("{items.jsonl}", "--rules", "{number.jsonl}"): "not JSON",
        **{(file, "--rules", "{rules}"): words for file, words in NO_FILES.items()},
        ("{latin1}", "--rules", "{rules}"): "UTF-8",
        ("{not.jsonl}", "--rules", "{rules}"): "line 1: title",
        ("{typed.jsonl}", "--rules", "{rules}"): "line 1: source",
        ("{home.jsonl}", "--rules", "{rules}"): "source_region",
    },
    "rules pause": {("nobody",): "nobody"},
    "rules resume": {("nobody",): "nobody"},
    "rules remove": {("nobody",): "nobody", ("\x1b",): "no rule"},
    "channels add": {
        (): "channel_id",
        ("phone",): "url",
        ("phone", ""): "scheme",
        ("phone", "gopher://x"): "gopher",
        ("phone", "https://a.example/hook"): "webhook+",
        ("phone", "ntfys://h/t\r\nBcc: x"): "U+000D",
        ("phone", "ntfys://h/" + MEGABYTE): "4,000",
        ("phone", "json://127.0.0.1?template=/etc/passwd"): "template=",
        ("phone", "ntfys://ntfy.example/***"): "with its secrets",
        ("A B", "console:"): "A B",
        ("", "console:"): "channel id",
        ("phone", "console:", "--name", "a\x1bb"): "name",
        ("phone", "console:", "--subscriber", "nobody"): "nobody",
    },
    "channels list": {("--subscriber", "nobody"): "nobody"},
    "channels test": {("nobody",): "nobody"},
    "channels enable": {("nobody",): "nobody"},
    "channels disable": {("nobody",): "nobody"},
    "channels remove": {("nobody",): "nobody"},
    "channels rotate-keys": {("x",): "x"},
    "subscribers add": {(): "subscriber_id", ("",): "subscriber id", ("A B",): "A B", ("x", "--name", "\x07"): "name"},
    "subscribers list": {("x",): "x"},
    "subscribers set": {
        ("nobody", "--zone", "UTC"): "nobody",
        ("me", "--zone", "Europe/Berlim"): "Europe/Berlin",
        ("me", "--quiet", "22-7"): "22-7",
        ("me", "--quiet", "25:00-07:00"): "25:00",
        ("me", "--quiet-mode", "loud"): "silence_all",
        ("me", "--critical", "9"): "critical",
        ("me", "--budget-hour", "ten"): "ten",
        ("me", "--digest", "daily@99:00"): "99:00",
        ("me", "--digest", "monthly"): "monthly",
    },
    "subscribers show": {("nobody",): "nobody"},
    "mute story": {(): "story_id", ("nobody",): "nobody", ("nobody", "--for", "soon"): "soon"},
    "mute rule": {("nobody",): "nobody", ("here", "--for", "-1h"): "-1h", ("here", "--subscriber", "nobody"): "nobody"},
    "mute region": {("Lemuria",): "Lemuria", ("LB", "--for", "0s"): "0s"},
    "mute remove": {("nobody",): "nobody", ("story:nobody", "--subscriber", "nobody"): "nobody"},
    "mute list": {("--subscriber", "nobody"): "nobody"},
    "snooze": {(): "TIME", ("soon",): "soon", ("2h", "--subscriber", "nobody"): "nobody"},
    "canary": {
        ("--channel", "nobody"): "name both",
        ("--channel", "nobody", "--alarm", "else"): "nobody",
        ("--channel", "nobody", "--alarm", "else", "--every", "often"): "often",
    },
    "stories list": {("--limit", "0"): "--limit"},
    "stories show": {("nobody",): "nobody", (): "story_id"},
    "stories merge": {("nobody",): "other_id", ("nobody", "nobody"): "name two stories", ("nobody", "else"): "nobody"},
    "stories split": {("nobody",): "item_ids", ("nobody", "x"): "nobody"},
    "alerts list": {("--subscriber", "nobody"): "nobody", ("--limit", "-5"): "--limit"},
    "alerts show": {("nobody",): "nobody", ("a\x1b[31mb",): "no alert", (MEGABYTE,): "no alert"},
    "alerts why": {("nobody", "nobody"): "nobody", ("x",): "rule_id", ("nobody", "here"): "archive"},
    "deliveries show": {("nobody",): "nobody"},
    "deliveries list": {("--status", "lost"): "expired", ("--limit", "1.5"): "--limit"},
    "deliveries replay": {("nobody",): "nobody"},
    "deliveries drop": {("nobody",): "nobody"},
    "regions show": {("Lemuria",): "Lemuria", ("near:99,1,5km",): "latitude", ("near:x",): "no circle", ("",): "no region"},
    "regions search": {("///",): "no place", ("",): "no place", ("zzzzqx",): "zzzzqx"},
    **{
        edge: {
            **{(file,): words for file, words in NO_FILES.items()},
            ("{latin1}",): "line 1: not UTF-8",
            ("{list.jsonl}",): "line 1: must be an object",
            ("{deep.jsonl}",): "line 1: not JSON",
            ("{number.jsonl}",): "line 1: not JSON",
            ("{nan.jsonl}",): "NaN",
            ("{typed.jsonl}",): "line 1",
            ("{empty.jsonl}",): "line 1",
            ("{utf16.jsonl}",): "line 1",
        }
        for edge in ("regions tag", "stories group", "stories same")
    },
}
ALSO = {
    "stories group": {("{time.jsonl}",): "yesterday", ("{home.jsonl}",): "source_region"},
    "regions tag": {("{home.jsonl}",): "source_region"},
}
CASES = [
    pytest.param(command, arguments, words, id=f"{command}: {' '.join(arguments)[:60]!r}")
    for table in (ARGUMENTS, ALSO)
    for command, cases in table.items()
    for arguments, words in cases.items()
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """name -> path, of every file a case names."""
    folder = tmp_path_factory.mktemp("files")
    paths = {name: folder / name for name in FILES}
    for name, body in FILES.items():
        paths[name].write_bytes(body)
    (folder / "rules.jsonl").write_text('{"id": "here", "query": "ferry"}\n', encoding="utf-8")
    histories = {
        "history": "utc\tsource\tfile\n20260301T120000Z\ta\t../latin1\n",
        "nul_history": "utc\tsource\tfile\n20260301T120000Z\ta\tb\0c\n",
        "good_history": "utc\tsource\tfile\n20260301T120000Z\ta\tindex.tsv\n",
    }
    for name, index in histories.items():
        (folder / name).mkdir()
        (folder / name / "index.tsv").write_text(index, encoding="utf-8")
    places = {"missing": folder / "missing", "folder": folder, "device": Path("/dev/zero"), "inside": folder / "latin1" / "x"}
    return {**paths, **places, **{name: folder / name for name in histories}, "rules": folder / "rules.jsonl"}


@pytest.fixture(scope="module")
def store(valkey_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with a rule in it, behind every command of this module."""
    with redis.Redis.from_url(valkey_server) as client:
        client.flushall()
    with desk(tmp_path_factory.mktemp("desk") / "data", valkey_server):
        done("rules", "add", "fire", "--id", "here")
        yield valkey_server


def test_the_table_names_every_command() -> None:
    assert commands() == sorted(ARGUMENTS)


@pytest.mark.parametrize(("command", "arguments", "words"), CASES)
def test_nonsense_is_one_error_and_changes_nothing(
    command: str, arguments: tuple[str, ...], words: str, files: Mapping[str, Path], store: str
) -> None:
    def filled(text: str) -> str:
        return re.sub(r"\{([\w.]+)\}", lambda m: str(files[m[1]]), text) if len(text) < 100 else text

    before = snapshot(store)
    ended = tocsin(*command.split(), *map(filled, arguments))
    assert (2, "") == (ended.code, ended.out), ended.err[-3000:]
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert filled(words) in ended.err
    assert len(ended.err) <= 2100
    assert "\x1b" not in ended.err
    assert before == snapshot(store)


@pytest.mark.parametrize("command", ["status", "rules list", "stories same", "up", "web", "beat", "worker --queue poll"])
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TOCSIN_CONFIG_DIR", "{missing}", "is not a directory"),
        ("TOCSIN_POLL__TICK_S", "soon", "TOCSIN_POLL__TICK_S"),
        ("TOCSIN_COLOUR", "red", "TOCSIN_COLOUR is no setting"),
    ],
)
def test_a_wrong_setting_stops_every_command(
    command: str, name: str, value: str, words: str, files: Mapping[str, Path], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value.format(**files))
    ended = tocsin(*command.split())
    assert (2, "") == (ended.code, ended.out)
    assert words in ended.err


@pytest.mark.parametrize("command", ["status", "export", "channels list"])
def test_a_data_directory_that_is_a_file_is_named(
    command: str, files: Mapping[str, Path], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(files["latin1"]))
    ended = tocsin(*command.split())
    assert (2, "") == (ended.code, ended.out)
    assert str(files["latin1"]) in ended.err
    assert "TOCSIN_DATA_DIR" in ended.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "redis//x", "redis://127.0.0.1:abc/0"])
def test_a_store_url_that_is_none_says_what_one_looks_like(url: str, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", url)
    ended = tocsin("status")
    assert ended.code in (1, 2)
    assert "redis://" in ended.err


def test_a_body_of_a_backup_is_checked_before_anything_is_written(
    files: Mapping[str, Path], valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk(tmp_path / "data", valkey_url):
        ended = tocsin("restore", str(files["broken.backup"]))
        assert 2 == ended.code
        assert "line 2" in ended.err
        assert [] == done("rules", "list", "--json").rows()


def test_an_error_is_found_on_a_later_line_after_the_good_ones_were_answered(store: str) -> None:
    ended = tocsin("stories", "same", stdin='{"id": 1, "a": "x", "b": "x"}\n\n{"id": 2, "a": "x"}\n')
    assert 2 == ended.code
    assert [1] == [row["id"] for row in ended.rows()]
    assert "error: stdin: line 3: b: must be a text, but is missing\n" == ended.err


def test_what_json_says_of_the_error_is_kept(store: str) -> None:
    ended = tocsin("regions", "tag", stdin=json.dumps({"id": 1, "text": "x"}) + "\n{'id': 2}\n")
    assert 2 == ended.code
    assert "stdin: line 2: not JSON: Expecting property name" in ended.err
