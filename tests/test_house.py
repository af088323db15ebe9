"""The habits of docs/design.md that a reader counts on: small functions, docstrings, no catch-all, no patched names."""

from __future__ import annotations

import ast
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
OURS = sorted(p for folder in ("alerts", "workers") for p in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BROAD = {"Exception", "BaseException"}
# One bad item must not kill a worker, one bad plugin of a hundred must not cost a lane its receipts: these two may.
TASK_EDGE = {"workers/tasks.py", "alerts/delivery/notify.py"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """A file as it is called in the repository."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(paths: list[Path]) -> Iterator[tuple[str, Function]]:
    """(where it stands, function) of every function and method."""
    for path in paths:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, Function):
                yield f"{name_of(path)}:{node.lineno} {node.name}", node


def lines_of(node: Function) -> int:
    """How long a function is without its docstring."""
    first = node.body[0]
    doc = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
    return (node.end_lineno or 0) - node.lineno + 1 - doc


def test_no_function_is_longer_than_50_lines() -> None:
    assert [where for where, node in functions([*OURS, *TESTS]) if lines_of(node) > 50] == []


def test_nine_functions_in_ten_are_shorter_than_30_lines() -> None:
    sizes = sorted(lines_of(node) for _, node in functions(OURS))
    assert sizes[len(sizes) * 9 // 10] <= 30


def test_no_module_is_longer_than_400_lines() -> None:
    long = [name_of(path) for path in OURS if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    assert long == []


def test_every_module_says_what_it_decides() -> None:
    assert [name_of(path) for path in [*OURS, *TESTS] if not ast.get_docstring(tree_of(path))] == []


def catches(node: ast.ExceptHandler) -> set[str]:
    """The names of the errors that an except clause catches; {"everything"} for a bare one."""
    if node.type is None:
        return {"everything"}
    parts = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in parts}


def test_nothing_catches_everything_but_the_task_edge() -> None:
    broad = [
        f"{name_of(path)}:{node.lineno}"
        for path in OURS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and catches(node) & {*BROAD, "everything"} and name_of(path) not in TASK_EDGE
    ]
    assert broad == []


def test_each_edge_catches_everything_in_one_place_only() -> None:
    for path in (p for p in OURS if name_of(p) in TASK_EDGE):
        handlers = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.ExceptHandler) and catches(n) & BROAD]
        assert len(handlers) <= 1, path


def test_no_test_replaces_a_name_of_ours() -> None:
    """`patch("alerts.x")` and `monkeypatch.setattr("alerts.x", ...)` tie a test to where a name is looked up."""
    patched = [
        f"{name_of(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute | ast.Name)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in ("patch", "setattr")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and str(node.args[0].value).startswith(("alerts.", "workers."))
    ]
    assert patched == []


# ---------------------------------------------------------------- what is imported


def imported(paths: list[Path]) -> set[str]:
    """The top-level packages that files import, our own and Python's left out."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"alerts", "workers", "tests", "bench"}


def declared(*extras: str) -> set[str]:
    """The distributions that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.parametrize(
    ("paths", "extras"),
    [
        pytest.param([p for p in OURS if name_of(p) != "alerts/regions/build.py"], (), id="the service"),
        pytest.param([*OURS, *TESTS], ("dev",), id="the tests and the build of the names"),
    ],
)
def test_whatever_is_imported_is_a_declared_dependency(paths: list[Path], extras: tuple[str, ...]) -> None:
    providers = packages_distributions()
    known = declared(*extras)
    missing = {n for n in imported(paths) if not {canonicalize_name(d) for d in providers.get(n, [])} & known}
    assert missing == set()


def test_every_module_has_its_level_in_the_import_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][0]
    levels = {part.strip().strip("()") for layer in contract["layers"] for part in layer.split("|")}
    modules = {f"alerts.{p.stem}" for p in (ROOT / "alerts").iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    assert modules - levels == {"alerts.__init__"}


# ---------------------------------------------------------------- what is shipped


def test_the_wheel_carries_both_packages_the_configuration_and_the_licence(tmp_path: Path) -> None:
    built = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    names = set(zipfile.ZipFile(built).namelist())
    shipped = {f"alerts/_config/{p.relative_to(ROOT / 'config').as_posix()}" for p in (ROOT / "config").rglob("*.toml")}
    data = {name_of(p) for p in (ROOT / "alerts").rglob("*") if p.suffix in (".lua", ".lark", ".gz")}
    assert shipped | data | {name_of(p) for p in OURS} <= names
    assert {"LICENSE", "NOTICE"} <= {name.rpartition("/")[2] for name in names}
    assert not [name for name in names if name.startswith(("tests/", "config/"))]
