"""`RedisState`: the whole store on one redis-py client. The key patterns stand in keys.py, the commits in lua/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from alerts.errors import StateError
from alerts.state import backup
from alerts.state.keep import HouseKeeper
from alerts.state.keys import PREFIX, SCHEMA, Keys
from alerts.state.poll import PollKeeper
from alerts.state.registry import Registry
from alerts.state.scripts import Arg
from alerts.state.sift import SiftKeeper
from alerts.state.stories import StoryKeeper
from alerts.state.told import ToldKeeper


class RedisState(PollKeeper, SiftKeeper, StoryKeeper, Registry, ToldKeeper, HouseKeeper):
    """Implements `ports.State`.

    Args:
        client: Answers bytes. Its own retries are safe: every commit knows its request.
        prefix: Of all keys; a test chooses its own.
        archive_items: Length of the archive.
        archive_s: How long items stay in the archive, in seconds.
        ledger_s: How long alerts, bells and deliveries are kept, in seconds.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        prefix: str = PREFIX,
        archive_items: int = 100_000,
        archive_s: float = 7 * 86400.0,
        ledger_s: float = 30 * 86400.0,
    ) -> None:
        super().__init__(client, Keys(prefix), ledger_s=ledger_s)
        self.archive_items, self.archive_s = archive_items, archive_s

    def prepare(self) -> None:
        """Check the schema version and make what must exist.

        Raises:
            StateError: The store was written by a newer version of Tocsin.
        """
        self._call("SET", self._keys("schema"), SCHEMA, "NX")
        held = int(self._call("GET", self._keys("schema")))
        if held > SCHEMA:
            raise StateError(f"the store has schema {held}, this Tocsin knows up to {SCHEMA}: install the newer version")
        self.ensure_group()

    def ping(self) -> None:
        """Raises: StateError when the store does not answer."""
        self._call("PING")

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return self._keys.prefix

    def scan(self) -> Iterator[bytes]:
        """The names of all keys under the prefix."""
        yield from self._client.scan_iter(match=self.prefix + "*", count=1000)

    def run_command(self, *command: Arg) -> Any:
        """The raw answer of one command, for backup. Raises: StateError."""
        return self._call(*command)

    def run_commands(self, commands: Iterable[Sequence[Arg]]) -> list[Any]:
        """The raw answers of many commands, sent in pages, for backup. Raises: StateError."""
        answers: list[Any] = []
        rest = iter(commands)
        while page := list(islice(rest, 1000)):
            answers += self._calls(page)
        return answers

    def dump(self) -> Iterator[str]:
        """The lines of a backup: a header, then one a key."""
        return backup.dump(self)

    def restore(self, lines: Iterable[tuple[int, str]]) -> int:
        """Write the keys of a backup into an empty store; how many. Raises: StateError, ConfigError."""
        return backup.restore(self, lines)

    def touch_due(self) -> None:
        """Offer every lane again, after a restore: the leases of the former store mean nothing here."""
        for name in self._call("HKEYS", self._keys("channels")):
            first = self._call("ZRANGE", self._keys("lane", name.decode()), 0, 0)
            if first:
                self._call("ZADD", self._keys("lanes"), self.now().timestamp(), name)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def connect(url: str, *, timeout_s: float = 10.0) -> redis.Redis:
    """A client for redis://, rediss:// or unix:// that tries again while the store restarts.

    Raises:
        StateError: The URL is not one redis-py understands.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 10),
        )
    except (ValueError, RedisError) as error:
        raise StateError(f"redis_url: {error}; give redis://host:6379/0, rediss://... or unix:///path?db=0") from error
