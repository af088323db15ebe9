"""The documents keep step: every setting, command and noun stands in them, and every example in config/ loads."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alerts import models, preferences
from alerts.cli import app
from alerts.errors import AlertsError
from alerts.regions.areas import AreaIndex
from alerts.rules.load import read_rules
from alerts.rules.query import check_query
from alerts.settings import Settings, load_settings, read_toml
from alerts.sources.load import sources_of

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


# ---------------------------------------------------------------- settings


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """("poll.floor_s", field) of every setting."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from settings_of(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def default_of(name: str, field: FieldInfo) -> Any:
    """A setting's default as TOML and JSON have it; the data directory's is written with a tilde."""
    if name == "data_dir":
        return "~/.local/share/tocsin"
    return list(field.default) if isinstance(field.default, tuple) else field.default


SETTINGS = dict(settings_of(Settings))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_a_heading_with_its_default_and_its_variable(name: str) -> None:
    variable = "TOCSIN_" + name.upper().replace(".", "__")
    default = json.dumps(default_of(name, SETTINGS[name]))
    assert f"\n#### `{name}`\n\nDefault `{default}` · environment `{variable}`\n\n" in read("docs/operating.md")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^#### `(.+)`$", read("docs/operating.md"), re.M)) == set(SETTINGS)


def test_the_settings_file_shows_every_default() -> None:
    text = re.sub(r"^# (?=[a-z_]+ = )", "", read("config/tocsin.toml"), flags=re.M)
    shown = tomllib.loads(text)
    sections = {name for name, value in shown.items() if isinstance(value, dict)}
    flat = {name: value for name, value in shown.items() if name not in sections}
    flat |= {f"{section}.{name}": value for section in sections for name, value in shown[section].items()}
    assert flat == {name: default_of(name, field) for name, field in SETTINGS.items()}


# ---------------------------------------------------------------- commands


def commands(command: Any, name: str = "tocsin") -> Iterator[str]:
    """The full names of all commands: "tocsin sources add"."""
    inner = getattr(command, "commands", {})
    for part, one in inner.items():
        yield from commands(one, f"{name} {part}")
    if not inner:
        yield name


COMMANDS = sorted(commands(typer.main.get_command(app)))


def test_every_command_has_its_row() -> None:
    assert sorted(re.findall(r"^\| `(tocsin [a-z -]+)` \|", read("docs/operating.md"), re.M)) == COMMANDS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_a_document_names_exists(document: Path) -> None:
    named = re.findall(r"(?:`|run\.sh )(tocsin [a-z][a-z-]*(?: [a-z][a-z-]*)?)", document.read_text(encoding="utf-8"))
    known = {*COMMANDS, *(c.rpartition(" ")[0] for c in COMMANDS)}
    unknown = [n for n in named if n not in known and n.rpartition(" ")[0] not in COMMANDS]
    assert unknown == []


def test_every_step_a_document_names_is_one_of_run_sh() -> None:
    script = read("run.sh")
    named = {step for path in DOCUMENTS for step in re.findall(r"\./run\.sh ([a-z]+)", path.read_text(encoding="utf-8"))}
    assert {step for step in named if not re.search(rf"^    (?:[a-z|]+\|)?{step}(?:\|[a-z|-]+)?\)", script, re.M)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_points_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


# ---------------------------------------------------------------- nouns and decisions

TERMS = re.findall(r"^- \*\*(.+?)\*\*(.*?): \S", read("docs/glossary.md"), re.M)


def test_every_noun_of_the_models_is_in_the_glossary() -> None:
    modules = (models, preferences)
    named = [(name, value, module.__name__) for module in modules for name, value in vars(module).items()]
    nouns = {name for name, value, module in named if isinstance(value, type) and value.__module__ == module}
    assert nouns - {name for _, rest in TERMS for name in re.findall(r"`(\w+)`", rest)} == set()


def test_the_glossary_names_no_class_that_is_gone() -> None:
    named = [name for _, rest in TERMS for name in re.findall(r"`(\w+)`", rest)]
    assert [name for name in named if not (hasattr(models, name) or hasattr(preferences, name))] == []


def test_the_terms_of_the_glossary_stand_in_order_each_once() -> None:
    terms = [term.lower() for term, _ in TERMS]
    assert terms == sorted(set(terms))
    assert len(terms) == len(re.findall(r"^- ", read("docs/glossary.md"), re.M)), "every term has a sentence"


def test_every_decision_has_its_date_problem_choice_and_what_was_refused() -> None:
    entries = re.split(r"^## ", read("docs/design.md"), flags=re.M)[1:]
    dates = [entry[:10] for entry in entries]
    assert dates == sorted(dates)
    for entry in entries:
        assert re.match(r"\d{4}-\d\d-\d\d: \S", entry), entry.splitlines()[0]
        assert [m for m in ("**Problem.**", "**Choice.**", "**Refused.**") if m not in entry] == [], entry.splitlines()[0]


# ---------------------------------------------------------------- config/


def test_the_settings_file_as_it_is_shipped_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOCSIN_DATA_DIR", raising=False)
    assert load_settings(CONFIG, {}) == Settings()


def test_the_starter_sources_load_and_cover_the_world() -> None:
    path = CONFIG / "sources.toml"
    sources = sources_of(read_toml(path)["source"], path=path)
    assert len({s.url for s in sources}) == len(sources) >= 20
    assert {"world", "americas", "europe", "middle-east", "africa", "asia", "pacific"} <= {tag for s in sources for tag in s.tags}
    assert all(s.name and s.language and s.region and s.floor_s >= 60 for s in sources)


def test_the_ticker_examples_are_paused_and_name_their_selectors() -> None:
    path = CONFIG / "sources.toml"
    examples = [s for s in sources_of(read_toml(path)["source"], path=path) if s.kind is not models.SourceKind.FEED]
    assert examples
    assert all(s.is_paused and s.selectors for s in examples)


def rule_files() -> list[Path]:
    """Every file with rules under config/."""
    return sorted(CONFIG.rglob("rules*.toml"))


@pytest.mark.parametrize("path", rule_files(), ids=lambda path: path.relative_to(CONFIG).as_posix())
def test_the_rules_of_every_example_load_and_their_regions_are_known(path: Path) -> None:
    areas = AreaIndex.load(CONFIG / "regions.toml")
    rules = read_rules(path)
    assert rules
    for rule in rules:
        check_query(rule.query, areas)


def test_the_rules_that_are_commented_out_load_too(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=\[\[|[a-z]+ = )", "", read("config/rules.toml"), flags=re.M)
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    assert len(read_rules(path)) == text.count("[[rule]]") == len(read_rules(CONFIG / "rules.toml")) + 1


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.toml")), ids=lambda path: path.relative_to(CONFIG).as_posix())
def test_every_toml_file_under_config_is_toml(path: Path) -> None:
    assert isinstance(read_toml(path), dict)


def test_the_named_regions_load() -> None:
    try:
        AreaIndex.load(CONFIG / "regions.toml")
    except AlertsError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("path", [*CONFIG.rglob("*"), *DOCUMENTS, ROOT / "run.sh", ROOT / "pyproject.toml"], ids=lambda path: path.name)
def test_no_document_or_example_names_a_person_s_machine(path: Path) -> None:
    if path.is_file():
        assert not re.search(r"/home/\w|/root/|/Users/\w", path.read_text(encoding="utf-8"))
