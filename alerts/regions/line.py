"""One line of a text: its words, what stands between them, and what its capitals are worth."""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from operator import add

from alerts.text.tokens import cut, is_run

_MATCH = frozenset(
    "goalkeeper striker midfielder halftime offside equaliser equalizer goalless bundesliga laliga quarterback touchdown "
    "touchdowns innings wicket wickets playoff playoffs semifinal semifinals quarterfinal quarterfinals hattrick shutout "
    "kickoff matchday relegation".split()
)
_BREAKS = frozenset(";:!?|(),،。")


class Line:
    """The words of a line; spans are counted only when somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words, self.written, self.gaps = cut(text)

    @cached_property
    def starts(self) -> list[int]:
        """Where each word begins, and the end of the line."""
        return list(accumulate(map(add, map(len, self.gaps), (0, *map(len, self.written)))))

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the words from the first to the last stand."""
        return self.starts[first], self.starts[last] + len(self.written[last])

    @cached_property
    def _cases(self) -> tuple[int, int]:
        heads = [word[:1] for word in self.written]
        return sum(map(str.islower, heads)), sum(map(str.isupper, heads))

    @cached_property
    def is_sentence(self) -> bool:
        """Whether capitals say something: else it is a Headline in Title Case."""
        small, large = self._cases
        return small >= 0.35 * (small + large)

    @cached_property
    def is_shouted(self) -> bool:
        """Whether all is in capitals."""
        small, large = self._cases
        return not small and large > 0 and self.text.upper() == self.text

    @cached_property
    def is_match(self) -> bool:
        """Whether it tells of a match, in which towns are teams."""
        return not _MATCH.isdisjoint(self.words) or ("half" in self.words and _is_half_of_a_match(self.words))

    def is_capital(self, index: int) -> bool:
        """Whether there is a word, and it begins with a capital."""
        return 0 <= index < len(self.words) and self.written[index][:1].isupper()

    def gap(self, index: int) -> str:
        """What stands between this word and the next; empty at the ends."""
        return self.gaps[index + 1] if 0 <= index < len(self.words) - 1 else ""

    def word(self, index: int) -> str:
        """The folded word, or nothing past the ends."""
        return self.words[index] if 0 <= index < len(self.words) else ""

    def is_unbroken(self, index: int, size: int) -> bool:
        """Whether the words of a name stand together: no gap in scripts without spaces, no comma or stop elsewhere."""
        for at in range(index + 1, index + size):
            gap = self.gaps[at]
            if gap and is_run(self.words[at - 1]) and is_run(self.words[at]):
                return False
            if len(gap) > 2 or not _BREAKS.isdisjoint(gap):
                return False
        return True


def _is_half_of_a_match(words: list[str]) -> bool:
    """Whether the half is one of a match, and not "the first half of the year"."""
    at = words.index("half")
    return at > 0 and words[at - 1] in ("first", "second") and words[at + 1 : at + 2] != ["of"]
