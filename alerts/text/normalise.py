"""One normal form of text, so that a word means the same in a feed, a rule and a story.

First the code points (NFKC, controls and invisible characters out, white space to one space), then the form for
comparing (case folded, marks that writers leave out removed).
"""

from __future__ import annotations

import html
import re
import unicodedata

_INLINE = re.compile(r"</?(?:a|abbr|b|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|u)(?:\s[^<>]*)?>", re.I)  # inside of words
_TAG = re.compile(r"<(?:!--.*?--|script\b.*?</script\s*|style\b.*?</style\s*|/?[a-zA-Z!?][^<>]*)>", re.S | re.I)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Letters that readers take for the same: alef, ya, kaf and ta marbuta forms, tatweel; German sharp s comes by casefold.
_LETTERS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": None, "ё": "е"}
    | {"ı": "i", "ø": "o", "ł": "l", "đ": "d"}
)


def clean(text: str) -> str:
    """The text in NFKC on one line, without control and invisible characters."""
    if text.isascii():
        return " ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split())
    return " ".join(_INVISIBLE.sub("", _CONTROL.sub(" ", unicodedata.normalize("NFKC", text))).split())


def plain(markup: str) -> str:
    """The text of an HTML fragment on one line: tags, scripts and styles out, entities resolved."""
    if "<" in markup:
        markup = _without_tags(markup)
    if "&" in markup:
        markup = html.unescape(markup)
        if "<" in markup:  # feeds that escape twice
            markup = _without_tags(markup)
    return clean(markup)


def _without_tags(markup: str) -> str:
    return _TAG.sub(" ", _INLINE.sub("", markup))


def fold(text: str) -> str:
    """The form for comparing: `clean`, case folded, diacritics and vowel points removed."""
    folded = clean(text).casefold()
    if folded.isascii():
        return folded
    folded = unicodedata.normalize("NFKD", folded)
    if not folded.isascii():
        folded = "".join(c for c in folded if not _is_mark(c)).translate(_LETTERS)
    return unicodedata.normalize("NFC", folded)


def _is_mark(char: str) -> bool:
    """Nonspacing marks fall away, but not the vowel signs of Indic and Thai words and the voicing marks of kana."""
    return unicodedata.category(char) == "Mn" and not "\u0900" <= char <= "\u0eff" and char not in "\u3099\u309a"
