"""Which language a text is in: what its source declares, then its script, then (Latin letters only) a classifier.

A declaration is not believed when the letters contradict it: many feeds carry the `en-US` that their software came with.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

LATIN_LANGUAGES = tuple(
    "af az ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms mt nl no pl pt ro sk sl sq sv sw tl tr vi".split()
)
_ALIASES = {"iw": "he", "in": "id", "ji": "yi", "nb": "no", "nn": "no", "cmn": "zh", "fil": "tl", "mo": "ro", "sh": "sr", "prs": "fa"}
_UNSAID = {"und", "mul", "mis", "zxx", "x"}

# First code point of each script's block, with its name; '' = letters that say nothing.
_BLOCKS = (
    (0x0041, "Latin"), (0x02B0, ""), (0x0370, "Greek"), (0x0400, "Cyrillic"), (0x0530, "Armenian"), (0x0590, "Hebrew"),
    (0x0600, "Arabic"), (0x0700, ""), (0x0750, "Arabic"), (0x0780, "Thaana"), (0x07C0, ""), (0x08A0, "Arabic"),
    (0x0900, "Devanagari"), (0x0980, "Bengali"), (0x0A00, "Gurmukhi"), (0x0A80, "Gujarati"), (0x0B00, "Oriya"),
    (0x0B80, "Tamil"), (0x0C00, "Telugu"), (0x0C80, "Kannada"), (0x0D00, "Malayalam"), (0x0D80, "Sinhala"), (0x0E00, "Thai"),
    (0x0E80, "Lao"), (0x0F00, "Tibetan"), (0x1000, "Myanmar"), (0x10A0, "Georgian"), (0x1100, "Hangul"), (0x1200, "Ethiopic"),
    (0x13A0, ""), (0x1780, "Khmer"), (0x1800, "Mongolian"), (0x18B0, ""), (0x1C90, "Georgian"), (0x1CC0, ""), (0x1E00, "Latin"),
    (0x1F00, "Greek"), (0x2000, ""), (0x3005, "Han"), (0x3008, ""), (0x3041, "Kana"), (0x3100, ""), (0x3131, "Hangul"), (0x3190, ""),
    (0x3400, "Han"), (0xA000, ""), (0xAC00, "Hangul"), (0xD7B0, ""), (0xF900, "Han"), (0xFB00, "Latin"), (0xFB13, ""),
    (0xFB1D, "Hebrew"), (0xFB50, "Arabic"), (0xFE00, ""), (0xFE70, "Arabic"), (0xFEFF, ""), (0xFF21, "Latin"), (0xFF5B, ""),
    (0xFF66, "Kana"), (0xFFA0, ""), (0x20000, "Han"), (0x40000, ""),
)  # fmt: skip
_STARTS = [start for start, _ in _BLOCKS]

# Language of a script when no telling letter says otherwise, and every language that is written in it.
_LANGUAGES = {
    "Greek": ("el",), "Cyrillic": ("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba", "uz", "ce", "os", "az", "bs"),
    "Armenian": ("hy",), "Hebrew": ("he", "yi"), "Arabic": ("ar", "fa", "ur", "ps", "ckb", "ku", "ug", "sd", "ks", "pa", "az"),
    "Thaana": ("dv",), "Devanagari": ("hi", "mr", "ne", "sa", "mai", "bho", "kok", "sd", "doi"), "Bengali": ("bn", "as", "mni"),
    "Gurmukhi": ("pa",), "Gujarati": ("gu",), "Oriya": ("or",), "Tamil": ("ta",), "Telugu": ("te",), "Kannada": ("kn",),
    "Malayalam": ("ml",), "Sinhala": ("si",), "Thai": ("th",), "Lao": ("lo",), "Tibetan": ("bo", "dz"),
    "Myanmar": ("my", "shn"), "Georgian": ("ka",), "Hangul": ("ko",), "Ethiopic": ("am", "ti"), "Khmer": ("km",), "Mongolian": ("mn",),
    "Kana": ("ja",), "Han": ("zh", "ja", "ko", "yue"),
}  # fmt: skip

# Letters (or words) that only some languages of a script use: the language with most of them wins.
_TELLING = {
    "Arabic": {
        "ur": "[ٹڈڑںےہھ]", "ps": "[ښځڅډړږۍېټڼ]", "ckb": "[ڕڵۆێەڤ]", "sd": "[ڪڳڻٿڀڄڃڇڏ]", "ug": "[ۇۈۋېڭ]", "fa": "[پچژگکی]",
        "ar": "[ةيىكأإؤئ]",
    },
    "Cyrillic": {
        "uk": "[іїєґ]", "be": "[ўі]", "sr": "[ђјљњћџ]", "mk": "[ѓќѕјљњ]", "kk": "[әғқңөұүһі]", "ky": "[ңөү]", "mn": "[өү]",
        "tg": "[ӣӯҷҳқғ]", "tt": "[әҗңөүһ]", "ru": "[ыэё]", "bg": r"ъ(?![яеёю])|\b(?:се|са|ще|че|със|във|след)\b",
    },
    "Hebrew": {"yi": "[װױײ]|אַ|אָ"},
    "Devanagari": {"mr": r"ळ|(?:^|\s)(?:आहे|आणि|नाही|येथे|झाला|झाली)(?=\s|$)", "ne": r"(?:^|\s)(?:छ|र|छन्|गरे|भएको|गर्न|भने)(?=\s|$)"},
    "Bengali": {"as": "[ৰৱ]"},
    "Ethiopic": {"ti": r"[ኸቐ]|ትግራ"},
}  # fmt: skip
_PATTERNS = {script: {lang: re.compile(p) for lang, p in table.items()} for script, table in _TELLING.items()}
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?", re.S)
_MIN_LETTERS = 12  # fewer Latin letters, or a single word, give the classifier nothing to go by
_MIN_PROBABILITY = 0.4


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def language_of(text: str, declared: str | None, allowed: Sequence[str] = (), *, is_guessing: bool = True) -> str | None:
    """The primary language tag of a text ("ar", "pt"), or None when nothing tells.

    Args:
        text: Headline and summary.
        declared: BCP 47 tag of the item or its source; the letters of the text may overrule it.
        allowed: Languages to choose among when a text in Latin letters declares none; empty = about 40 of them.
        is_guessing: Ask the classifier then; it takes about 90 MB of memory once it was asked.
    """
    tag = primary_tag(declared)
    script = _script(text)
    if not script:
        return tag
    if script == "Latin":
        return tag or (_classify(text, tuple(allowed) or LATIN_LANGUAGES) if is_guessing else None)
    return tag if tag in _LANGUAGES[script] else _by_letters(text, script)


def primary_tag(declared: str | None) -> str | None:
    """The primary subtag in lower case ("pt" of "pt_BR"), old codes renewed; None when it says nothing."""
    match = _TAG.fullmatch(declared.strip()) if declared else None
    if match is None:
        return None
    tag = match.group(1).lower()
    return None if tag in _UNSAID else _ALIASES.get(tag, tag)


def _script(text: str) -> str:
    """The script most letters are in; '' without letters. A few kana make a Han text Japanese."""
    if text.isascii():
        return "Latin" if any(c.isalpha() for c in text) else ""
    counts = Counter(_BLOCKS[bisect_right(_STARTS, ord(c)) - 1][1] for c in text if c.isalpha())
    del counts[""]
    if counts["Kana"] and counts["Kana"] + counts["Han"] >= counts["Latin"]:
        return "Kana"
    if counts["Han"] and counts["Han"] * 2 >= counts["Latin"]:  # one of their characters is worth a few letters
        counts["Han"] *= 3
    return counts.most_common(1)[0][0] if counts else ""


def _by_letters(text: str, script: str) -> str:
    lowered = text.lower()
    counts = {lang: len(pattern.findall(lowered)) for lang, pattern in _PATTERNS.get(script, {}).items()}
    if script == "Arabic" and (counts["ur"] or counts["ps"] or counts["ckb"]):
        counts["fa"] = counts["ar"] = 0  # they share the Persian letters
    if script == "Cyrillic" and counts["ru"]:
        counts["bg"] = counts["sr"] = counts["mk"] = 0
    best = max(counts, key=lambda lang: counts[lang], default="")
    return best if best and counts[best] else _LANGUAGES[script][0]


def _classify(text: str, allowed: tuple[str, ...]) -> str | None:
    if len(text.split()) < 2 or sum(c.isalpha() for c in text) < _MIN_LETTERS:
        return None
    language, probability = _identifier(allowed).classify(text)
    return language if probability >= _MIN_PROBABILITY else None


@lru_cache(maxsize=8)
def _identifier(allowed: tuple[str, ...]) -> _Identifier:
    """The classifier for these languages; loaded on first use, because it brings numpy and 30 MB with it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = [language for language in allowed if language in identifier.labels]
    identifier.set_languages(known or None)
    found: _Identifier = identifier
    return found
