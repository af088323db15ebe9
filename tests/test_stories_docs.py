"""The worked examples of docs/stories.md: each command runs, and says what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

_BLOCK = re.compile(r"^    \$ (?P<command>.+)\n(?P<shown>(?:    (?!\$ ).*\n)*)", re.M)
_VARIES = re.compile(r'(?<="score": )[0-9.]+|(?<=seconds {3})[0-9.]+')  # how long it took; how sure it was
EXAMPLES = [(match["command"], match["shown"]) for match in _BLOCK.finditer((ROOT / "docs" / "stories.md").read_text(encoding="utf-8"))]


@pytest.mark.usefixtures("valkey_server")  # a replay has a store of its own
def test_the_commands_of_the_page_say_what_it_shows(tmp_path: Path) -> None:
    assert len(EXAMPLES) >= 3
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command, shown in EXAMPLES:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True, timeout=60
        )
        told = "".join(f"    {line}\n" for line in done.stdout.splitlines())
        assert _VARIES.sub("?", shown) == _VARIES.sub("?", told)
