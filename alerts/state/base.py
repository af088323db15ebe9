"""What every part of the store shares: the client, the keys, the scripts, translated errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from alerts.errors import StateError
from alerts.state.keys import Keys
from alerts.state.scripts import Arg, Scripts

_PAGE = 1000  # fields read at once


class Base:
    """A redis-py client (bytes, not decoded) and the key names under one prefix."""

    def __init__(self, client: redis.Redis, keys: Keys, *, ledger_s: float) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys.prefix)
        self._keep_s = int(ledger_s)

    def _run(self, script: str, *args: Arg) -> Any:
        return self._scripts.run(script, *args)

    def _run_many(self, script: str, calls: Iterable[Sequence[Arg]]) -> list[Any]:
        return self._scripts.run_many(script, calls)

    def _call(self, *command: Arg) -> Any:
        """The raw answer of one command. Raises: StateError."""
        try:
            return self._client.execute_command(*command)
        except (RedisConnectionError, RedisTimeoutError) as error:
            what_to_do = "is `tocsin up`, or the server of redis_url, running?"
            raise StateError(f"the store does not answer: {str(error).rstrip('.')}; {what_to_do}") from error
        except RedisError as error:
            raise StateError(f"the store refused {command[0]!s}: {error}") from error

    def _calls(self, commands: Iterable[Sequence[Arg]]) -> list[Any]:
        """The raw answers of several commands in one round trip. Raises: StateError."""
        pipe = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        try:
            return list(pipe.execute())
        except RedisError as error:
            raise StateError(f"the store refused a batch: {error}") from error

    def _hash(self, name: str, *parts: str) -> dict[bytes, bytes]:
        answer = self._call("HGETALL", self._keys(name, *parts))
        return as_hash(answer)

    def _large_hash(self, name: str) -> dict[bytes, bytes]:
        """A hash that may be too large to be read in one call without blocking the store."""
        found: dict[bytes, bytes] = {}
        cursor: Any = 0
        while True:
            cursor, rows = self._call("HSCAN", self._keys(name), cursor, "COUNT", _PAGE)
            found |= as_hash(rows)
            if not int(cursor):
                return found

    def _seconds(self) -> float:
        seconds, micros = self._call("TIME")
        return int(seconds) + int(micros) / 1e6


def as_hash(answer: Any) -> dict[bytes, bytes]:
    """A hash from either protocol's answer: RESP3 gives a map, RESP2 and Lua a flat list."""
    if isinstance(answer, dict):
        return answer
    return dict(zip(answer[::2], answer[1::2], strict=True))
