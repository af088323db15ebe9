"""Stories by what items say: one event in other words is one story, one template about two events is two."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cli.edges import tagged_row
from alerts.models import Story, Tagged
from alerts.regions.tagger import Tagger
from alerts.state.codec import STORY
from alerts.stories.grouping import MAX_SKETCHES, StoryIndex
from alerts.stories.headlines import Headline
from alerts.stories.likeness import same_event
from alerts.stories.meanings import concept_names, kinds_of_events, terms_of
from alerts.stories.scorer import load_weights
from alerts.stories.sketch import Sketch, pack, sketch_of, unpack
from alerts.stories.wordlists import rows
from alerts.text.normalise import fold
from tests.builders import NOW

TAGGER = Tagger.load()
# One invented event as German outlets would word it, from the first line to the mourning.
MOOSHEIM = """Messerangriff in Regionalzug bei Kleinmoosheim: Mehrere Verletzte
Mehrere Verletzte bei Messerattacke in Zug nahe Kleinmoosheim
Polizei: Mann greift Fahrgäste in Zug bei Kleinmoosheim mit Messer an
Kleinmoosheim: Messerstecher verletzt fünf Menschen in Regionalbahn
Fünf Verletzte nach Angriff in Regionalexpress – Täter festgenommen
Messerattacke im Zug: Was wir über den Angriff bei Kleinmoosheim wissen
Angriff in Regionalzug: Tatverdächtiger von Kleinmoosheim war polizeibekannt
Zwei Tote nach Messerangriff in Regionalzug bei Kleinmoosheim
Kleinmoosheim: Zahl der Toten nach Messerattacke steigt auf zwei
Innenministerin reist nach Messerangriff zum Tatort in Kleinmoosheim
Messerangriff von Kleinmoosheim: Polizei nimmt 24-jährigen Verdächtigen fest
Attacke in Zug bei Kleinmoosheim: Verdächtiger in Haft
Kanzler zeigt sich nach Bluttat in Zug bei Kleinmoosheim erschüttert
Bluttat im Regionalzug: Zwei Tote, mehrere Verletzte bei Kleinmoosheim
Nach Messerattacke bei Kleinmoosheim: Ermittler suchen nach Motiv
Haftbefehl gegen mutmaßlichen Angreifer von Kleinmoosheim erlassen
Kleinmoosheim: Opfer der Messerattacke waren 17 und 19 Jahre alt
Trauer um Opfer der Messerattacke von Kleinmoosheim
Eilmeldung: Messerangriff in Zug – Großeinsatz in Kleinmoosheim
Großeinsatz der Polizei am Bahnhof Kleinmoosheim nach Angriff im Zug
Zugangriff: Angreifer von Kleinmoosheim soll psychisch krank sein
Messertat in Regionalbahn: Bahnverkehr bei Kleinmoosheim eingestellt
Bahnstrecke nach Messerattacke bei Kleinmoosheim wieder frei
Was über die Messerattacke von Kleinmoosheim bekannt ist
Augenzeugen berichten von Panik im Zug bei Kleinmoosheim
Angriff bei Kleinmoosheim: Debatte über Sicherheit in Zügen
Messerangriff in Regionalzug: Verdächtiger stand unter Aufsicht
Gedenkgottesdienst für Opfer von Kleinmoosheim
Regionalzug-Attacke: Motiv des Täters weiter unklar
Messerangriff in Zug: Zwei Menschen sterben, Täter gefasst
Nach der Attacke im Regionalzug: Kritik an Behörden in Kleinmoosheim
Kleinmoosheim trauert nach tödlicher Messerattacke""".splitlines()
MEANWHILE = """Bundestag stimmt über Haushalt ab
Sturm fegt über Norddeutschland: Bäume stürzen auf Straßen
Erdbeben der Stärke 5,9 erschüttert Nordjapan
Zwei Tote bei Unfall auf der A7 nahe Göttingen
Großbrand in Lagerhalle in Dortmund
Messerangriff in Innenstadt von Graz: Drei Verletzte
Streik bei der Bahn: Gewerkschaft kündigt Ausstand an
Explosion in Wohnhaus in Leipzig: Ein Toter
Hochwasser in Polen: Tausende evakuiert
Drohnenangriff auf Kiew: Mindestens vier Tote""".splitlines()


# Invented events that fill a town for a day, and what else happens there or is like it elsewhere.
TULSA = """Fire breaks out at shopping mall in Tulsa
Tulsa mall fire: several people trapped, officials say
At least two dead in Tulsa shopping mall fire
Death toll in Tulsa mall fire rises to five
Oklahoma governor visits site of Tulsa mall fire
Firefighters put out blaze at Tulsa mall after ten hours
Owner of burned Tulsa mall questioned by police
Tulsa mourns victims of mall fire""".splitlines()
NOT_TULSA = """Shooting at high school in Tulsa kills two
Tornado hits outskirts of Tulsa
Fire at shopping mall in Omaha injures three
Tulsa to host film festival
Police officer stabbed in Tulsa""".splitlines()
ALBACETE = """Descarrila un tren cerca de Albacete y deja varios heridos
Al menos dos muertos al descarrilar un tren en Albacete
Asciende a cuatro el número de muertos en el accidente de tren de Albacete
El maquinista del tren de Albacete, entre los fallecidos
Investigan las causas del descarrilamiento de Albacete
El rey visita a los heridos del accidente de Albacete
Recuperan la caja negra del tren accidentado en Albacete""".splitlines()
NOT_ALBACETE = """Un incendio destruye un almacén en Albacete
Albacete acoge la feria del libro
Un tiroteo deja un herido en Albacete
Descarrila un tren de mercancías en Zamora
El alcalde de Albacete anuncia su dimisión""".splitlines()
KAZAN = """В Казани загорелся торговый центр
Пожар в торговом центре Казани: есть пострадавшие
Число погибших при пожаре в казанском торговом центре выросло до пяти
Пожар в ТЦ Казани локализован
Директор торгового центра в Казани задержан
Очевидцы рассказали о пожаре в торговом центре Казани""".splitlines()
NOT_KAZAN = """В Казани открылся новый аэропорт
В Казани произошло ДТП с автобусом
Стрельба в школе Казани: погибли два человека""".splitlines()


def a_line(number: int, title: str, *, lang: str = "en", text: str = "") -> Tagged:
    """A tagged headline of one of eight invented outlets."""
    return tagged_row({"id": f"i{number}", "title": title, "text": text, "lang": lang, "source": f"outlet-{number % 8}"}, "row", TAGGER)


def stories_of(titles: Sequence[str], *, lang: str = "en") -> list[Story]:
    """The story of each headline when they arrive twenty minutes apart."""
    index, found = StoryIndex(), []
    for number, title in enumerate(titles):
        found.append(index.assign(a_line(number, title, lang=lang), NOW + number * timedelta(minutes=20)))
        index.apply(found[-1])
    return found


def a_sketch(title: str, *, lang: str = "en") -> Sketch:
    return sketch_of(a_line(1, title, lang=lang), 0)


def a_headline(title: str, lang: str = "en") -> Headline:
    return Headline(title, a_sketch(title, lang=lang))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("Ferry sinks off Cebu, at least 5 dead", "Death toll from Cebu ferry sinking rises to 8", id="a toll that grows"),
        pytest.param("Magnitude 6.1 earthquake hits northern Chile", "Strong 6.1 quake shakes northern Chile", id="other words"),
        pytest.param("Gunmen kill 12 in attack on village in Burkina Faso", "Twelve killed as gunmen raid Burkinabe village", id="words"),
        pytest.param("moldovan parliament dissolves after budget vote", "Moldova's parliament is dissolved after budget vote", id="a link"),
    ],
)  # fmt: skip
def test_one_event_in_other_words_is_one_story(first: str, second: str) -> None:
    one, two = stories_of([first, second])
    assert one.story_id == two.story_id


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("Bus crash in Peru kills 14", "Bus crash in Nepal kills 14", id="the same template in another country"),
        pytest.param("Russian drone strike on Kharkiv kills 3", "Russian drone strike on Odesa kills 5", id="in another town"),
        pytest.param("Harbour gate 1 closes after collision", "Harbour gate 2 closes after collision", id="another number of its kind"),
        pytest.param("Court in Ghana jails former minister", "Court in Kenya frees journalist", id="two courts"),
    ],
)
def test_one_template_about_two_events_is_two_stories(first: str, second: str) -> None:
    one, two = stories_of([first, second])
    assert one.story_id != two.story_id


@pytest.mark.parametrize(
    ("lang", "event", "others"), [("en", TULSA, NOT_TULSA), ("es", ALBACETE, NOT_ALBACETE), ("ru", KAZAN, NOT_KAZAN)]
)
def test_a_story_that_fills_a_town_swallows_nothing_else_that_happens_there(lang: str, event: list[str], others: list[str]) -> None:
    titles = [*event[:3], *(line for pair in zip_longest(others, event[3:]) for line in pair if line)]
    found = dict(zip(titles, stories_of(titles, lang=lang), strict=True))
    told = {found[title].story_id for title in event}
    assert len(told) <= 2
    assert {title for title in others if found[title].story_id in told} == set()


def test_a_word_of_two_concepts_is_what_its_own_list_says() -> None:
    for word, concept in (("fire", "fire"), ("fired", "resign"), ("attack", "attack"), ("attackers", "suspect"), ("report", "say")):
        assert [term.text for term in terms_of(word, "en")] == [f"#{concept}"]


def test_every_word_stands_for_one_concept_and_every_kind_is_one_of_a_concept() -> None:
    seen: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for key, words in rows("concepts.txt"):
        for word in words.split():
            seen[key.partition(".")[0], fold(word)].add(key)
    assert [keys for keys in seen.values() if len(keys) > 1] == []
    assert kinds_of_events().keys() - concept_names() == set()


def lines_of(*pairs: tuple[str, str]) -> list[Story]:
    """The story of each (language, headline) when they arrive twenty minutes apart."""
    index, found = StoryIndex(), []
    for number, (lang, title) in enumerate(pairs):
        story = index.assign(a_line(number, title, lang=lang), NOW + number * timedelta(minutes=20))
        index.apply(story)
        found.append(story)
    return found


def test_a_country_and_a_kind_of_event_in_common_make_no_story_across_languages() -> None:
    flooded = "عاجل: إغلاق الطريق الساحلي في لبنان بسبب السيول"
    fog, flood = lines_of(("en", "Airport of Beirut closed for two hours by fog"), ("ar", flooded))
    assert fog.story_id != flood.story_id


def test_a_number_and_a_place_in_common_make_a_story_across_languages() -> None:
    one, other = lines_of(("en", "Magnitude 5.1 earthquake shakes Greece"), ("de", "Erdbeben der Stärke 5,1 erschüttert Griechenland"))
    assert one.story_id == other.story_id


def test_one_german_event_rings_a_few_times_and_swallows_nothing() -> None:
    mixed = [line for pair in zip(MOOSHEIM[::3], MEANWHILE, strict=False) for line in pair]
    titles = [*MOOSHEIM[:2], *mixed, *(line for line in MOOSHEIM[2:] if line not in mixed)]
    found = dict(zip(titles, stories_of(titles, lang="de"), strict=True))
    event = {found[title].story_id for title in MOOSHEIM}
    others = [found[title].story_id for title in MEANWHILE]
    assert len(event) <= 6
    assert len(MEANWHILE) - 1 <= len(set(others))
    assert len(event & set(others)) <= 1


def test_names_carry_across_scripts() -> None:
    assert set(terms_of("Зеленский", "ru")) != set(terms_of("Zelensky", "en"))
    russian, english = a_sketch("Зеленский прибыл в Варшаву", lang="ru"), a_sketch("Zelensky arrives in Warsaw")
    assert {term >> 16 for term in russian.terms} & {term >> 16 for term in english.terms}


def test_inflected_russian_headlines_are_one_event() -> None:
    one = a_headline("Взрыв прогремел на заводе в Туле, есть пострадавшие", lang="ru")
    other = a_headline("На тульском заводе произошел взрыв, пострадали люди", lang="ru")
    assert same_event(one, other, load_weights()) > same_event(one, a_headline("Выборы президента Сербии", lang="ru"), load_weights())


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("Messerangriff", "de", ["#stab", "#attack"]),
        ("Regionalzug", "de", ["regional", "#train"]),
        ("Rückzug", "de", ["ruckzug"]),
        ("Weihnachtsmarkt", "de", ["#market"]),
        ("killed", "en", ["#kill"]),
        ("the", "en", []),
        ("Toten", "de", ["#kill"]),
        ("погибших", "ru", ["#kill"]),
    ],
)
def test_words_count_as_what_they_mean(word: str, language: str, expected: list[str]) -> None:
    assert expected == [term.text for term in terms_of(word, language)]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("At least 5 dead and twelve injured in blast", [("k", 5.0), ("h", 12.0)]),
        ("Magnitude 6.1 quake", [("q", 6.1)]),
        ("Bank fined $40 million", [("c", 40e6)]),
        ("Elections of 2024 annulled", []),
        ("premier resigns 2026 03 01", []),
        ("Inflation at 3.5 percent", [("p", 3.5)]),
    ],
)
def test_numbers_count_with_what_they_count(title: str, expected: list[tuple[str, float]]) -> None:
    assert expected == [tuple(number) for number in a_sketch(title).numbers]


def test_a_word_that_is_in_everything_draws_nothing_together_while_there_are_few_stories() -> None:
    """Each tells of other things; a story that had swallowed some would hide that the word is everywhere."""
    letters = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
    names = [hashlib.sha256(str(n).encode()).hexdigest().translate(letters) for n in range(40)]
    assert len(stories_of([f"planted {n[:8]} {n[8:16]} {n[16:24]} {n[24:32]} number {at}" for at, n in enumerate(names)])) == 40


@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=4))
def test_any_headlines_are_grouped_without_an_error(titles: list[str]) -> None:
    assert len(stories_of([*titles, "4b227777 5e99999 1e400 count", f"99{'9' * 400} gates"])) >= 1


def test_headlines_that_count_different_things_are_two_stories_though_a_number_is_common() -> None:
    titles = [f"planted headline number {number} of feed-{number % 3}" for number in range(60)]
    assert len(stories_of(titles)) == 60


def test_a_packed_sketch_is_the_same_again() -> None:
    sketch = sketch_of(a_line(1, "At least 5 dead in Tripoli, Lebanon", text="The army of Lebanon confirmed it."), 1_772_366_400)
    assert sketch == unpack(pack(sketch))
    assert ("LB", "LB-AS") == (sketch.places[-1] if sketch.places[-1] == "LB" else "LB", next(p for p in sketch.places if len(p) > 2))


def test_an_index_from_the_store_compares_as_the_one_that_wrote_it() -> None:
    index = StoryIndex()
    for number, title in enumerate([*MOOSHEIM[:8], *MEANWHILE]):
        index.apply(index.assign(a_line(number, title, lang="de"), NOW + number * timedelta(minutes=20)))
    reloaded = StoryIndex()
    reloaded.load(STORY.load(STORY.dump(story)) for story in index)
    probe, at = a_line(99, "Zwei Tote nach Messerattacke in Zug bei Kleinmoosheim", lang="de"), NOW + timedelta(hours=8)
    assert index.nearest(probe, at) == reloaded.nearest(probe, at)
    assert index.nearest(probe, at)


def test_the_sketches_of_a_story_are_bounded_and_the_first_stays() -> None:
    titles = [f"Kleinmoosheim: {line}" for line in MOOSHEIM]
    found = [story for story in stories_of(titles, lang="de") if len(story.item_ids) > MAX_SKETCHES]
    assert {MAX_SKETCHES} == {len(story.sketches) for story in found}
    assert 1 == len({(story.story_id, story.sketches[0]) for story in found if story.story_id == found[0].story_id})


def test_the_dial_decides_between_repeats_and_misses() -> None:
    title, other = "Ferry sinks off Cebu, at least 5 dead", "Rescuers search waters off Cebu"
    counts = []
    for join_chance in (0.3, 0.99):
        index = StoryIndex(join_chance=join_chance)
        for number, line in enumerate((title, other)):
            index.apply(index.assign(a_line(number, line), NOW + number * timedelta(minutes=20)))
        counts.append(len(index))
    assert counts == sorted(counts)


def test_a_headline_of_two_common_words_joins_nothing() -> None:
    one, two = stories_of(["India First", "Shoot first, ask questions later will not work, says court in India"])
    assert one.story_id != two.story_id


def test_what_outlets_write_below_every_headline_joins_nothing() -> None:
    index = StoryIndex()
    below = "Subscribe to our channel for the latest from the harbour, every night at eight."
    for number, title in enumerate(("Choir festival opens in Kleinmoosheim", "Tram line to the airport delayed until spring")):
        index.apply(index.assign(a_line(number, title, text=below), NOW))
    assert 2 == len(index)
