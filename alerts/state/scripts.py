"""The Lua scripts of the store: loaded from lua/, sent by hash, translated errors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from alerts.errors import StateError

Arg = str | bytes | int | float


class Scripts:
    """Runs lua/<name>.lua with the key prefix as its first argument."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._bodies: dict[str, tuple[str, str]] = {}

    def run(self, name: str, *args: Arg) -> Any:
        """The answer of one script.

        Raises:
            StateError: The store cannot be reached or refused; nothing was written.
        """
        return self.run_many(name, [args])[0]

    def run_many(self, name: str, calls: Iterable[Sequence[Arg]]) -> list[Any]:
        """The answers of one script called several times in one round trip; each call is atomic by itself."""
        body, sha = self._body(name)
        rows = [(self._prefix, *args) for args in calls]
        try:
            return self._pipeline(sha, rows)
        except NoScriptError:
            self._client.script_load(body)  # type: ignore[no-untyped-call,unused-ignore]
            return self._pipeline(sha, rows)
        except RedisError as error:
            raise StateError(f"the store refused {name}: {error}") from error

    def _pipeline(self, sha: str, rows: Sequence[Sequence[Arg]]) -> list[Any]:
        if len(rows) == 1:
            return [self._client.execute_command("EVALSHA", sha, 0, *rows[0])]
        pipe = self._client.pipeline(transaction=False)
        for row in rows:
            pipe.execute_command("EVALSHA", sha, 0, *row)
        return list(pipe.execute())

    def _body(self, name: str) -> tuple[str, str]:
        if name not in self._bodies:
            common = resources.files("alerts.state").joinpath("lua/common.lua").read_text(encoding="utf-8")
            own = resources.files("alerts.state").joinpath(f"lua/{name}.lua").read_text(encoding="utf-8")
            body = common + own
            self._bodies[name] = body, hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
        return self._bodies[name]
