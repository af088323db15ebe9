"""Secrets at rest: channel URLs are sealed with a key that stands beside the store, never in it.

The key file holds one Fernet key a line, newest first: the first one seals, all of them unseal. It is made with the
first start, readable by its owner only. Several processes may start at once, and one may rotate while others run.
"""

from __future__ import annotations

import os
import threading
import uuid
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from alerts.errors import ConfigError

_MOST_REMEMBERED = 20_000  # secrets; opening one takes 40 us and every delivery asks


class KeyRing:
    """The keys of one installation; made by `KeyRing.open`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys: tuple[str, ...] = ()
        self._unsealed = lru_cache(maxsize=_MOST_REMEMBERED)(self._unseal)
        self._fernet = self._load()

    @classmethod
    def open(cls, path: Path) -> KeyRing:
        """The ring of this key file, which is made when it is not there.

        Raises:
            ConfigError: The file cannot be read or made, or holds something else than keys.
        """
        if not path.exists():
            _place(path, [Fernet.generate_key().decode()], is_first=True)
        return cls(path)

    def seal(self, text: str) -> str:
        """A token that only this ring's keys can open."""
        return self._fernet.encrypt(text.encode("utf-8", "surrogatepass")).decode()

    def unseal(self, token: str) -> str:
        """The text that was sealed; the last ones are remembered.

        Raises:
            ConfigError: None of the keys in the file made this token.
        """
        return self._unsealed(token)

    def _unseal(self, token: str) -> str:
        try:
            return self._open(self._fernet, token)
        except InvalidToken:
            pass
        try:
            return self._open(self._load(), token)  # another process may have rotated
        except InvalidToken as error:
            raise ConfigError(
                f"{self._path}: none of its {len(self._keys)} keys opens a stored secret; "
                "put the key file back that belongs to this store, or add the channel again"
            ) from error

    def rotate(self) -> None:
        """Make a new key that seals from now on; older ones still unseal."""
        self._load()
        _place(self._path, [Fernet.generate_key().decode(), *self._keys], is_first=False)
        self._load()

    def reseal(self, token: str) -> str:
        """The same secret under the newest key. Raises: ConfigError, as `unseal` does."""
        return self.seal(self.unseal(token))

    def export(self) -> str:
        """The text of the key file, for a backup: whoever has it can read every channel's URL."""
        self._load()
        return "\n".join(self._keys)

    def adopt(self, keys: str) -> None:
        """Add the keys of a backup behind our own: what they sealed can be opened here. Raises: ConfigError."""
        self._load()
        given = [key.strip() for key in keys.splitlines() if key.strip()]
        for number, key in enumerate(given, 1):
            _check(self._path, number, key)
        _place(self._path, list(dict.fromkeys([*self._keys, *given])), is_first=False)
        self._load()

    def _load(self) -> MultiFernet:
        keys = _read(self._path)
        with self._lock:
            self._keys = tuple(keys)
            self._fernet = MultiFernet([Fernet(key) for key in keys])
            return self._fernet

    @staticmethod
    def _open(fernet: MultiFernet, token: str) -> str:
        return fernet.decrypt(token.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; the key file of the channels' secrets must be readable") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a key file: byte {error.start} is no ASCII; put the right one back") from error
    keys = [line.strip() for line in lines]
    for number, key in enumerate(keys, 1):
        _check(path, number, key)
    found = [key for key in keys if key]
    if not found:
        raise ConfigError(f"{path}: holds no key; put the right file back, or delete it and add every channel again")
    return found


def _check(path: Path, number: int, key: str) -> None:
    try:
        if key:
            Fernet(key)
    except ValueError as error:
        raise ConfigError(f"{path}: line {number} is no key (32 bytes in URL-safe base64); put the right file back") from error


def _place(path: Path, keys: list[str], *, is_first: bool) -> None:
    """Put a whole file in its place at once; with is_first, a file that got there earlier stays."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("\n".join(keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if is_first:
            _link(draft, path)
        else:
            draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; the key file of the channels' secrets must be writable") from error
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:  # another process was first: its key counts
        return
