"""What kind of headline it is, in which stage its matter is, and what it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.settings import SiftSettings
from alerts.stories.nature import Nature, nature_of
from alerts.stories.phases import Phase, phase_of
from alerts.stories.toll import Count, largest, toll_of

# ---------------------------------------------------------------- nature


@pytest.mark.parametrize(
    ("nature", "language", "title"),
    [
        ("event", "en", "Ferry runs aground off Portvale"),
        ("correction", "en", "Correction: Ferry had 40 aboard, not 400"),
        ("correction", "en", "Harbour Wire retracts story on the ferry"),
        ("correction", "de", "Richtigstellung: Fähre lief nicht auf Grund"),
        ("correction", "fr", "Rectificatif : le ferry n'a pas coulé"),
        ("correction", "ar", "تصحيح: العبارة لم تغرق"),
        ("correction", "ru", "Поправка: паром не затонул"),
        ("correction", "ja", "訂正：フェリーは沈んでいない"),
        ("all_clear", "en", "Tsunami warning lifted for Portvale"),
        ("all_clear", "de", "Entwarnung nach Gasalarm im Hafen"),
        ("all_clear", "fr", "Alerte levée au port"),
        ("all_clear", "uk", "Відбій повітряної тривоги в порту"),
        ("all_clear", "ar", "انتهاء حالة الطوارئ في المرفأ"),
        ("all_clear", "zh", "港口警报解除"),
        ("explainer", "en", "Portvale ferry disaster: what we know"),
        ("explainer", "en", "Why the harbour closes early"),
        ("explainer", "de", "Brand im Hafen: Wie es dazu kam"),
        ("explainer", "es", "Lo que se sabe del hundimiento del ferry"),
        ("explainer", "ru", "Что известно о крушении парома"),
        ("opinion", "en", "Opinion: The harbour needs a bridge"),
        ("opinion", "en", "The harbour needs a bridge | Editorial"),
        ("opinion", "de", "Kommentar: Der Hafen braucht eine Brücke"),
        ("opinion", "fr", "Tribune - Le port a besoin d'un pont"),
        ("opinion", "pl", "Port potrzebuje mostu [OPINIA]"),
        ("live_blog", "en", "Portvale flood: live updates"),
        ("live_blog", "en", "Portvale vote - as it happened"),
        ("live_blog", "de", "Hochwasser im Nordtal im Liveticker"),
        ("live_blog", "fr", "EN DIRECT - Inondations au port"),
        ("live_blog", "es", "Inundaciones en el puerto, minuto a minuto"),
        ("retrospective", "en", "Five years since the ferry disaster"),
        ("retrospective", "en", "Five years after arrest, ferry captain speaks of ordeal"),
        ("retrospective", "en", "A year after the verdict: what has changed in Portvale"),
        ("retrospective", "de", "Zehn Jahre nach dem Fährunglück: Was bleibt"),
        ("event", "en", "Twenty years after harbour murder, man arrested"),
        ("event", "en", "Man arrested 20 years after girl's murder"),
        ("event", "en", "Body found 30 years after hiker vanished"),
        ("event", "de", "Zehn Jahre nach Mord: Verdächtiger festgenommen"),
        ("event", "fr", "Dix ans après le meurtre, un homme arrêté"),
        ("retrospective", "de", "Zehn Jahre nach dem Zugunglück"),
        ("retrospective", "es", "Aniversario del hundimiento del ferry"),
        ("fixture", "en", "Portvale Rovers v Northland: kick-off time and predicted lineups"),
        ("sport", "en", "Rovers win the Premier League"),
        ("soft", "en", "Plum cake recipe for a rainy day"),
        ("soft", "de", "Horoskop für Dienstag"),
        ("update", "en", "Death toll rises to 15 in ferry disaster"),
        ("update", "de", "Zahl der Toten steigt auf 15"),
    ],
)
def test_a_headline_is_of_one_kind(nature: str, language: str, title: str) -> None:
    assert Nature(nature) == nature_of(title, language=language).nature


@pytest.mark.parametrize(
    "title",
    [
        "Live rounds fired at the harbour",
        "Ferry correction to timetable delays commuters",
        "Opinion polls close in Northland",
        "Stadium crush kills nine before cup final",
        "Ferry sinks one year after reform of the harbour",
        "Analysis of water finds poison in Portvale",
    ],
)
def test_the_same_words_elsewhere_are_an_event(title: str) -> None:
    assert Nature.EVENT == nature_of(title, language="en").nature


def test_the_sections_of_a_link_say_what_it_is_but_not_its_last_part() -> None:
    assert Nature.OPINION == nature_of("A bridge for all", url="https://a.example/opinion/a-bridge").nature
    assert Nature.EVENT == nature_of("A bridge for all", url="https://a.example/news/opinion").nature
    assert Nature.EVENT == nature_of("Stand collapses, five dead", language="en", url="https://a.example/sport/1").nature
    assert Nature.EVENT == nature_of("A bridge for all", url="http://[broken").nature


def test_every_nature_that_starts_no_ringing_story_is_one() -> None:
    assert set(SiftSettings().silent_natures) < set(Nature)


def test_a_nature_has_its_reason() -> None:
    assert ('an explainer ("what we know")', "") == (
        nature_of("Ferry disaster: what we know", language="en").why,
        nature_of("Ferry runs aground", language="en").why,
    )


# ---------------------------------------------------------------- phases


@pytest.mark.parametrize(
    ("phase", "language", "title"),
    [
        ("captivity/detained", "en", "Harbour reporter detained in Northland"),
        ("captivity/released", "en", "Harbour reporter freed after a month"),
        ("captivity/released", "en", "Northland releases two journalists from custody"),
        ("person/missing", "en", "Hiker goes missing near Portvale"),
        ("person/found_alive", "en", "Missing hiker found alive"),
        ("person/found_dead", "de", "Vermisster Wanderer tot gefunden"),
        ("hostage/taken", "fr", "Prise d'otages dans une banque"),
        ("hostage/freed", "es", "Rehenes liberados en el banco"),
        ("missile/launched", "en", "Northland fires missile over the strait"),
        ("missile/intercepted", "uk", "Над портом збито дві ракети"),
        ("ceasefire/agreed", "en", "Ceasefire takes effect in Northland"),
        ("ceasefire/violated", "ar", "خرق وقف إطلاق النار في الشمال"),
        ("justice/trial", "en", "Harbour master goes on trial"),
        ("justice/convicted", "it", "Condannato il comandante del traghetto"),
        ("justice/acquitted", "pl", "Kapitan promu uniewinniony"),
        ("access/closed", "en", "Airport closed after storm"),
        ("access/reopened", "pt", "Aeroporto reaberto após temporal"),
        ("fire/burning", "nl", "Brand uitgebroken in haven"),
        ("fire/contained", "ja", "港の火災が鎮火"),
    ],
)
def test_a_headline_tells_the_stage_of_its_matter(phase: str, language: str, title: str) -> None:
    assert Phase(*phase.split("/")) == phase_of(title, language=language)


def test_a_film_that_is_released_frees_nobody() -> None:
    assert phase_of("Harbour film released in May", language="en") is None


# ---------------------------------------------------------------- toll


def numbers(title: str, language: str | None = None, text: str = "") -> dict[str, float]:
    """role -> number."""
    return largest(toll_of(title, text, language=language))


@pytest.mark.parametrize(
    ("found", "language", "title"),
    [
        ({"dead": 5}, "en", "Five dead in Portvale"),
        ({"dead": 12, "injured": 30}, "en", "Blast kills 12 and injures 30"),
        ({"dead": 12}, "en", "Five children among 12 killed in ferry fire"),
        ({"dead": 24}, "en", "Twenty-four people killed in ferry fire"),
        ({"dead": 15}, "en", "Death toll from the floods, the worst in Northland in years, rises to 15"),
        ({"dead": 3000}, "en", "At least 3,000 people killed"),
        ({"dead": 1200}, "de", "1.200 Tote nach Beben"),
        ({"displaced": 12500}, "fr", "12 500 personnes évacuées"),
        ({"dead": 2, "missing": 4}, "de", "Zwei Tote und vier Vermisste nach Bootsunglück"),
        ({"dead": 15, "injured": 30}, "ar", "مقتل 15 شخصا وإصابة 30 في المرفأ"),
        ({"dead": 23}, "fa", "شمار کشته‌ها به ۲۳ نفر رسید"),
        ({"dead": 2}, "ar", "مقتل شخصين في المرفأ"),
        ({"dead": 5, "injured": 12}, "ru", "Погибли пять человек, 12 ранены"),
        ({"arrested": 40}, "es", "40 detenidos en el puerto"),
        ({"magnitude": 6.1}, "tr", "6,1 büyüklüğünde deprem"),
        ({"dead": 24}, "en", "Dozens killed in ferry fire"),
        ({"money": 12e6}, "en", "Ferry line fined $12 million"),
        ({"dead": 5}, "ko", "화재로 5명 숨져"),
        ({"dead": 12}, "zh", "沉船事故致12人死亡"),
    ],
)
def test_a_number_belongs_to_what_it_counts(found: dict[str, float], language: str, title: str) -> None:
    assert found == numbers(title, language)


@pytest.mark.parametrize(
    "title",
    [
        "Man, 34, killed in crash",
        "34-year-old killed in crash",
        "Killed 3 days after the storm",
        "Two dogs killed in fire",
        "Ferry killed trade in 2019",
        "Fire kills 50% of the trees",
        "Rain kills hopes 3 hours before the match",
    ],
)
def test_ages_dates_and_measures_count_nobody(title: str) -> None:
    assert {} == numbers(title, "en")


def test_the_lede_adds_only_what_the_headline_does_not_count() -> None:
    assert {"dead": 5, "injured": 9} == numbers("Five dead in Portvale", "en", "Six people died and nine people were injured.")


@given(st.text(max_size=200), st.sampled_from([None, "en", "de", "ar", "he", "ko", "zh", "hi"]))
def test_any_text_has_a_nature_a_phase_and_a_toll(title: str, language: str | None) -> None:
    assert nature_of(title, language=language) == nature_of(title, language=language, url="")
    phase_of(title, language=language)
    found = toll_of(title, title, language=language)
    assert all(isinstance(count, Count) and 0 <= count.low <= count.high for count in found)


@given(st.integers(1, 9_999_999), st.sampled_from(["{} people killed", "Fire kills {} people", "{:,} people killed"]))
def test_every_number_of_people_is_read_as_written(number: int, form: str) -> None:
    assert {"dead": number} == numbers(form.format(number), "en")
