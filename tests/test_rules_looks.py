"""What is read of an archived item without decoding it, and what a look at stems says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.models import Item, RegionEvidence, Tagged
from alerts.rules import archived
from alerts.rules.document import Line
from alerts.rules.glance import cheapest_first
from alerts.rules.grammar import parse
from alerts.rules.nodes import AnyOf, Saved, Words
from alerts.rules.stem_look import StemLook
from alerts.state.codec import TAGGED
from alerts.text.stems import stems
from tests.builders import a_change

_TEXTS = st.text(max_size=30, alphabet=st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ('"title":"x"', '},"language":"xx"', '"countries":["LB"]', "\\", '\\"', "a\nb", "“fire” “x")
)
_PLACES = st.builds(
    RegionEvidence,
    code=st.sampled_from(("LB", "LB-AS", "XZ")),
    name=_TEXTS,
    kind=st.sampled_from(("country", "city")),
    lat=st.none() | st.floats(-90, 90),
    lon=st.none() | st.floats(-180, 180),
    span=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    why=_TEXTS,
)
_DATES = st.integers(1_500_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds + 0.25, UTC))


@given(title=_TEXTS, text=_TEXTS, url=_TEXTS, author=_TEXTS, topics=st.lists(_TEXTS, max_size=2), date=st.none() | _DATES, data=st.data())
def test_what_is_read_of_an_archived_item_is_what_it_says(
    title: str, text: str, url: str, author: str, topics: list[str], date: datetime | None, data: st.DataObject
) -> None:
    own = data.draw(st.sampled_from((None, "fr")))  # the feed's own language is not the tagged one
    item = Item(source_id="s-1", title=title, text=text, url=url, author=author, topics=tuple(topics), published_at=date, language=own)
    tagged = Tagged(
        change=a_change(1, item=item),
        language=data.draw(st.sampled_from((None, "en", "ar"))),
        urgency=data.draw(st.integers(1, 5)),
        urgency_why=data.draw(_TEXTS),
        countries=data.draw(st.sampled_from(((), ("LB",), ("LB", "CY")))),
        regions=tuple(data.draw(st.lists(_PLACES, max_size=3))),
    )
    raw = TAGGED.dump(tagged)
    strings = [archived.string_of(raw, f'"{key}":"'.encode()).decode() for key in ("title", "text", "url", "author", "source_id")]
    assert [title, text, url, author, "s-1"] == strings
    assert (tagged.change.item_id.encode(), b"s-1") == archived.identity(raw)
    assert (tagged.change.polled_at, date) == (archived.polled_at(raw), archived.published_at(raw))
    assert (tagged.language, tagged.urgency, tagged.countries) == (archived.language(raw), archived.urgency(raw), archived.countries(raw))
    assert [(r.code, r.name, r.kind, r.lat, r.lon) for r in tagged.regions] == list(map(tuple, archived.spots(raw)))


_WORDS = (
    "strikes Striking stroke dying die “Fire” fires! 3,000fires U.S. us x1fire fireЁ Straßen straße غارات الغارة لُبـنان нападения 東京 "
    "strike東京 frappée Frappe kitabı ﬁres fi\u00adres FIRE-STRIKES"
).split(" ")


@given(
    st.sampled_from(("strike", "die", "fire", "us", "straße", "غارة", "нападение", "frapper", "kitap", "東")),
    st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from((" ", "", "\n", "\u00a0", "/"))), max_size=8),
    st.sampled_from((None, "en", "de", "ar", "ru", "fr", "tr", "ja", "hi", "xx")),
)
def test_a_look_at_stems_says_what_cutting_the_text_says(term: str, pieces: list[tuple[str, str]], language: str | None) -> None:
    text = "".join(word + gap for word, gap in pieces)
    wanted = parse(f"~{term}")
    assert isinstance(wanted, Words)
    expected = Line(text, 0, language).find(wanted) is not None
    look = StemLook(wanted)
    assert expected is look(text.encode(), language)
    assert expected is look(text.encode(), language)  # the second time by what was learned
    assert not expected or look.begins(language)(text.encode()) is not False


@pytest.mark.parametrize("language", ["ar", "el", "fa", "hi", "hy", "ne", "ta", "yi"])
def test_stemmers_of_other_scripts_leave_latin_words_alone(language: str) -> None:
    """What `stem_look` takes for granted."""
    words = ("strikes", "dying", "cities", "nation3")
    assert [{word} for word in words] == [stems(word, language) for word in words]


def test_words_of_one_field_joined_by_or_are_looked_for_at_once() -> None:
    found = cheapest_first(parse("fire OR region:LB OR title:storm OR ~strike OR @quake"))
    assert isinstance(found, AnyOf)
    fire, storm, strike = (Words((term,), scope) for term, scope in (("fire", ""), ("storm", "title"), ("strike", "")))
    at_once = next(part for part in found.parts if isinstance(part, Saved))
    assert (fire.terms, strike.terms) == tuple(option.terms for option in at_once.options)
    assert storm in found.parts
