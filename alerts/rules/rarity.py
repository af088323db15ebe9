"""How many items are expected to have a key: counted where items were seen, guessed from the length of the word before.

The rarest key of a query is looked up first, so a better guess makes matching faster, never different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from alerts.rules.plan import SEP

_KINDS = {"area": 0.05, "lang": 0.3, "urgency": 0.5, "prefix": 0.02, "stem": 0.01}
_OTHER_KIND = 0.02
_GUESS_WEIGHT = 20.0  # a guess counts as much as so many items
_FULL = 200_000  # words that are counted; then the rare ones are forgotten and the others halved
_FUNCTION_WORDS = frozenset(
    "the to of in a and for on is at as with by after from says over be are that it has was will he not his its have who but an new "
    "us says said up out about more this were than been their they s le la de les des du et en un une que dans pour sur au par il "
    "el los las del y por con una se der die das und ist von mit den dem auf zu im ein eine nicht sich es für o da do em para com "
    "di il che per si non i dei ve bir bu için в на и с по не из за о к что от для до".split()
)


class Rarity:
    """What share of the items has a word."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._items = 0

    def learn(self, words: Iterable[str]) -> None:
        """Count the distinct words of one item."""
        self._counts.update(words)
        self._items += 1
        if len(self._counts) > _FULL:
            self._counts = Counter({word: count // 2 for word, count in self._counts.items() if count > 1})
            self._items //= 2

    def share(self, key: str) -> float:
        """The expected share of items with this key, 0 to 1; only the order of shares matters."""
        if key[0] == SEP:
            return _KINDS.get(key[1 : key.index(SEP, 1)], _OTHER_KIND)
        guess = 0.3 if key in _FUNCTION_WORDS else 0.3 / len(key) ** 2
        if not self._items:
            return guess
        return (self._counts.get(key, 0) + guess * _GUESS_WEIGHT) / (self._items + _GUESS_WEIGHT)
