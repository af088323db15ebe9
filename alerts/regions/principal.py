"""The one province in which a text plays, for whoever needs a single place: a pin on a map, a desk, a newsroom's file.

Evidence names every place that a rule may ask for; this names the foremost. It is the first province or town of the country that the
text is about. Where the text names none of that country, but its headline, or the first sentence of a text about one country, has an
institution of the state (parliament, government, ministry, supreme court), it is the province of the capital: the seat, as
"the Kremlin" is Moscow. Else there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alerts.models import RegionEvidence
from alerts.regions.endings import dictionary_forms
from alerts.text.normalise import fold
from alerts.text.tokens import words

_INSTITUTIONS = frozenset(
    fold(
        "parliament parliamentary government cabinet ministry minister ministers premier lawmakers senate congress "
        "البرلمان برلمان البرلمانيه الحكومه حكومه وزاره الوزاره وزير الوزير وزراء الوزراء الوزاري رئاسه الرئاسه النواب النيابيه "
        "هييه الهييه سلطه مفوضيه المفوضيه نيابيه نائب النايب نايب القضاء الاتحاديه الجمهوريه المركزي "
        "парламент парламента парламенте правительство правительства кабмин минобороны мид министерство министр министра дума "
        "уряд уряду міністерство міністр кабмін "
        "parlement gouvernement ministère ministre ministres sénat parlament bundesregierung ministerium minister ministerin kabinett "
        "gobierno parlamento ministerio ministro ministra senado congreso governo ministério ministero senato "
        "regering ministerie rząd sejm minister vláda hükümet bakanlık bakanlığı meclis pemerintah kementerian menteri 政府 国会 内閣"
    ).split()
)


def principal(found: Sequence[RegionEvidence], text: str, *, language: str | None, capitals: Mapping[str, str]) -> str:
    """The ISO 3166-2 code of the province in which the text plays; empty when it does not say.

    Args:
        found: The evidence of the text, the most relevant first.
        text: Headline, newline, text.
        language: Primary tag; None when it is unknown.
        capitals: ISO 3166-1 code -> ISO 3166-2 code of the capital.
    """
    country = next((e.country for e in found if e.country), "")
    if not country:
        return ""
    inside = next((e.code for e in found if e.country == country and "-" in e.code), "")
    if inside:
        return inside
    headline, _, body = text.partition("\n")
    is_alone = all(e.country in ("", country) for e in found)  # else the text may tell of the other's ministry
    opening = f"{headline}\n{body.partition('. ')[0]}" if is_alone else headline
    return capitals.get(country, "") if _has_institution(words(opening), language) else ""


def _has_institution(said: Iterable[str], language: str | None) -> bool:
    """Whether an institution of a state is named, also with a particle written onto it."""
    return any(word in _INSTITUTIONS or not _INSTITUTIONS.isdisjoint(_forms(word, language)) for word in said)


def _forms(word: str, language: str | None) -> Iterable[str]:
    return () if word.isascii() or len(word) < 4 else dictionary_forms(word, language)
