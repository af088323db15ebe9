"""Names of provinces in many languages, out of a CLDR release: `python -m alerts.regions.build_cldr CLDR/common`.

Babel brings the names of countries but not those of subdivisions (common/subdivisions/*.xml), so what the gazetteer lacks
is kept in subdivision_names.tsv: code, languages, name. Only provinces of a million people or of countries whose
villages make news are kept, and none that is called after a point of the compass: in most languages that is no name.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from alerts.errors import ConfigError
from alerts.regions.build_places import places
from alerts.regions.gazetteer import VILLAGES
from alerts.regions.own import SUBDIVISIONS, Place
from alerts.text.tokens import is_run, words

_LANGUAGES = (
    "ar fa ur he ru uk bg sr mk el hi bn ta th ja ko zh ka hy de es fr it pt nl pl cs sk sl hr hu ro tr fi sv no da et lt lv id vi"
).split()
_LARGE = 60  # a million people, as Place.size counts
_COMPASS = frozenset(
    "north south east west northern southern eastern western northeast northwest southeast southwest north-east north-west "
    "central centre center upper lower coast coastal capital islands island lake lakes and of the inner outer great middle "
    "province region district state department governorate prefecture territory plateau plateaux federal city metropolitan "
    "nord sud est ouest centre nordest nordouest sudest sudouest maritime savanes littoral lacs norte sur este oeste".split()
)
# Words for provinces, counted in these files: they begin or end eight names or more.
_KINDS = frozenset(
    (
        "مقاطعة ولاية محافظة منطقة إدارة إقليم أوبلاست област регион войводство край Војводство "
        "крај Провинција Покрајина Држава рејон প্রদেশ অঞ্চল জেলা গভর্নোরেট ওব্লাস্ট বিভাগ "
        "অঙ্গরাজ্য ভয়ভোডেশিপ Prefektura Provincie Guvernorát oblast vojvodství provincie stát "
        "kraj oblasť vojvodstvo District Region Province Governorate Department Guvernementet "
        "Provinsen voivodskap distrikt prefektur vojvodskap Rayonu Επαρχία Περιφέρεια Κυβερνείο "
        "Διαμέρισμα Ομπλάστ Γκοβερνοράτε Provincia Gobernación Región Óblast Prefectura Distrito "
        "Estado Voivodato provints osariik prefektuur piirkond departemang kubernerkond maakond "
        "vojevoodkond Gouvernorat province État Oblast préfecture Région Voïvodie subdivision "
        "מחוז מדינת प्रांत प्रान्त जिला ओब्लास्ट क्षेत्र प्रीफेक्चर राज्य विभाग प्रदेश गवर्नरेट "
        "մարզ շրջան նահանգ երկրամաս პროვინცია რეგიონი შტატი რაიონი ოლქი მუჰაფაზა დეპარტამენტი "
        "პრეფექტურა სავოევოდო მხარე provincija regionas apskritis sritis muchafaza departamentas "
        "prefektūra valstija gubernija savivaldybė reģions muhāfaza apgabals rajons departaments "
        "štats ils šebīja Prowincja Rejon Obwód Dystrykt Gubernatorstwo Departament Kraj Região "
        "Voivodia Província Provinca Guvernat prefektura Regija Distrikt guvernat provinca rajon "
        "மாகாணம் பகுதி மாவட்டம் மாநிலம் துறை கோவெர்னோரேட் Bölgesi ili Eyaleti Oblastı Vilayeti "
        "Yönetimi Voyvodalığı eyaleti استان شهرستان ایالت ناحیه منطقه بخش Provinsi Kegubernuran "
        "Prefektur Departemen Wilayah Regiunea Guvernoratul Statul Districtul Departamentul "
        "Voievodatul محافظہ صوبہ علاقہ ضلع اوبلاست محکمہ ریاست پریفیکچر کاؤنٹی alue maakunta "
        "piirikunta prefektuuri kuvernoraatti kaupunginosa voivodikunta tartomány kormányzóság "
        "megye terület prefektúra járás régió vajdaság 주 현 구 성 지방 시 regione provincia distretto "
        "prefettura governatorato Oblast’ dipartimento Governatorato Distretto Municipalità "
        "Regione voivodato Territorio Tỉnh Khu Bang Quận Vùng Provinz Gouvernement Präfektur "
        "Département Munizip район область воеводство Префектура Регіон Провінція Муніципалітет "
        "Район воєводство Woiwodschap"
    ).split()
)
_OF = re.compile(r"^(?:de la |de l['’]|de |du |d['’]|di |del |da |do |von |dell['’]|della )")
_RUN_KINDS = re.compile(
    "(?:(?<=..)(?:自治州|特别行政区|省|州|県|府|县|縣|邦|道|区|區|市)|(?<=...)(?:주|현|성|도))$|^(?:จังหวัด|รัฐ|แคว้น|เขต|มณฑล)"
)
_RENUMBERED = frozenset(("IR", "MA"))  # since CLDR took its codes over
_NOTED = re.compile("[¹²³()]")  # numbers of homonyms, remarks
_RULE = re.compile(r"^([A-Z]{2})([A-Z0-9]{1,3})$")


def extract(common: Path, places: Iterable[Place]) -> dict[tuple[str, str], set[str]]:
    """(code, name) -> the languages that call it so, for every name that GeoNames and ISO 3166-2 lack.

    Args:
        common: The folder `common` of a CLDR release.
        places: All places without these names: they tell how large a subdivision is, and what it is called already.

    Raises:
        ConfigError: The folder holds no subdivisions.
    """
    known, sizes = _known(places)
    english = dict(_read(common, "en"))
    plain = {code for code, name in english.items() if set(words(name)) <= _COMPASS}
    moved = _moved(english, known)
    kept: dict[tuple[str, str], set[str]] = defaultdict(set)
    for language in _LANGUAGES:
        for old, name in _read(common, language):
            code = moved.get(old, old)
            is_wanted = code in known and code not in plain and (sizes.get(code, 0) >= _LARGE or code[:2] in VILLAGES)
            parts = words(name)
            is_name = _is_long(bare(name)) and not _NOTED.search(name)
            if is_wanted and is_name and " ".join(parts) not in known[code]:
                kept[code, name].add(language)
    return kept


def _moved(english: Mapping[str, str], known: Mapping[str, set[str]]) -> dict[str, str]:
    """Code of CLDR -> code of today, where ISO has given the numbers of a country out anew."""
    by_name = {(code[:2], name): code for code, names in known.items() for name in names}
    moved = {code: "" for code in english if code[:2] in _RENUMBERED}
    for code in moved:
        parts = [" ".join(words(form)) for form in (english[code], f"{english[code]} Province")]
        moved[code] = next((by_name[code[:2], part] for part in parts if (code[:2], part) in by_name), "")
    return moved


def _is_long(name: str) -> bool:
    """Whether a name is too long for an everyday word that happens to be written so."""
    first = words(name)[0]
    least = 3 if is_run(first) else 5 if "\u0600" <= first[0] <= "\u06ff" else 4
    return len(name.removeprefix("ال")) >= least


def _known(places: Iterable[Place]) -> tuple[dict[str, set[str]], dict[str, int]]:
    """The folded names of each subdivision, and its size."""
    known: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, int] = {}
    for place in places:
        if place.kind == "subdivision":
            known[place.code] |= {" ".join(words(name)) for name in place.names}
            sizes[place.code] = max(sizes.get(place.code, 0), place.size)
    return known, sizes


def _read(common: Path, language: str) -> Iterator[tuple[str, str]]:
    """The ISO 3166-2 code and name of each subdivision in one language."""
    path = common / "subdivisions" / f"{language}.xml"
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ConfigError(f"{path.name}: cannot be read ({error}); give the folder `common` of a CLDR release") from error
    for node in root.iter("subdivision"):
        found = _RULE.match(node.get("type", "").upper())
        if found and node.text and words(node.text):
            yield f"{found[1]}-{found[2]}", node.text.strip()


def bare(name: str) -> str:
    """The name without the word that says what kind of subdivision it is; the same when there is none."""
    first, _, rest = name.partition(" ")
    if rest and first in _KINDS:
        return _OF.sub("", rest)
    front, _, last = name.rpartition(" ")
    if front and last in _KINDS:
        return front
    short = _RUN_KINDS.sub("", name)
    return short if len(short) > 1 else name


def read_subdivision_names(text: str) -> dict[str, list[tuple[str, set[str]]]]:
    """Code -> the names of subdivision_names.tsv with their languages."""
    found: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
    for line in text.splitlines():
        code, languages, name = line.split("\t")
        found[code].append((name, set(languages.split(","))))
    return found


if __name__ == "__main__":
    kept = extract(Path(sys.argv[1]), places())
    rows = sorted(f"{code}\t{','.join(sorted(languages))}\t{name}\n" for (code, name), languages in kept.items())
    SUBDIVISIONS.write_text("".join(rows), encoding="utf-8")
    sys.stdout.write(f"{len(rows)} names\n")
