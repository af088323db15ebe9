"""How likely a place is meant by a name when nothing else is known: how well it is known, and who calls it so."""

from __future__ import annotations

from alerts.regions.gazetteer import Place, Reading

_COUNTRY = {"name": 1.0, "short": 0.95, "demonym": 0.85, "place": 0.85, "city": 0.8, "mask": 2.0}
_CASELESS = 54  # scripts without capitals: smaller towns need more than their name
_UNIQUE = 0.56  # a province whose name is of nothing else
# Where the press of a language names small towns.
_SPOKEN = {
    "de": "DE AT CH LI LU".split(),
    "fr": "FR BE CH LU CA SN CI ML BF NE CM CD CG GA TD HT DZ MA TN LB".split(),
    "it": "IT CH SM".split(),
    "nl": "NL BE SR".split(),
    "pt": "PT BR AO MZ".split(),
    "es": "ES MX AR CO PE VE CL EC GT CU BO DO HN PY SV NI CR PA UY PR US".split(),
    "pl": "PL".split(),
    "cs": "CZ".split(),
    "sk": "SK".split(),
    "hu": "HU RO".split(),
    "ro": "RO MD".split(),
    "tr": "TR CY".split(),
    "id": "ID".split(),
    "sv": "SE FI".split(),
    "no": "NO".split(),
    "nb": "NO".split(),
    "da": "DK".split(),
    "fi": "FI".split(),
    "hr": "HR BA".split(),
    "sr": "RS BA ME".split(),
    "sl": "SI".split(),
    "lt": "LT".split(),
    "lv": "LV".split(),
    "et": "EE".split(),
}


def prior(reading: Reading, key: str, language: str | None, *, is_alone: bool) -> float:
    """How likely the name means the place, from 0 to 1; more where it means nothing else (is_alone)."""
    place = reading.place
    if place.kind == "country":
        return _COUNTRY.get(reading.how, 0.8)
    if place.kind in ("area", "sea"):
        return 0.9
    if place.kind == "county":
        return 0.55
    is_latin = key.isascii()
    if place.kind == "subdivision":
        least = _UNIQUE if is_alone and len(key) > 5 and min(map(len, key.split())) > 1 else 0.3
        return min(0.85, max(least, (place.size - 33) / 32)) - (0.1 if reading.how != "main" and is_latin else 0)
    score = min(0.9, max(0.05, (place.size - 30) / 32))
    if is_latin and (place.size < 58 if reading.how == "alt" else place.size < 55 and _is_foreign(place, language)):
        score -= 0.25
    if not is_latin and key[0] > "\u0590" and place.size < _CASELESS:
        score -= 0.25
    return score


def _is_foreign(place: Place, language: str | None) -> bool:
    """Whether a town lies where the language of the text is not at home."""
    spoken = _SPOKEN.get(language or "")
    return spoken is not None and place.country not in spoken
