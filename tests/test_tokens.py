"""Words in every script, with spans into the text as it was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.text import tokens as module
from alerts.text.tokens import cut, is_hangul, is_run, tokens, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Israel's army", "israel s army", id="an apostrophe ends a word"),
        pytest.param("l’Iran al-Assad F-16", "l iran al assad f 16", id="so does a hyphen"),
        pytest.param("U.S.-led, U.N. and U.S.Army", "us led un and us army", id="dotted initials are one word"),
        pytest.param("3,000 dead, 2.5 percent", "3000 dead 2.5 percent", id="a number is one word, thousands without commas"),
        pytest.param("١٢٣ قتيل", "123 قتيل", id="digits of every script are the same"),
        pytest.param("#Gaza_Strip @desk", "gaza strip desk", id="signs and underscores are no letters"),
        pytest.param("Zürich ÉCLAIR straße", "zurich eclair strasse", id="case and accents are folded"),
        pytest.param("می\u200cشود", "ميشود", id="an invisible joiner is inside a word"),
        pytest.param("ﷺ", "صلي الله عليه وسلم", id="a ligature is the words it stands for"),
        pytest.param('צה"ל תקף', "צהל תקף", id="a quote inside a Hebrew acronym is part of it"),
        pytest.param("हिन्दी में।", "हिन्दी में", id="vowel signs belong to the word, the danda does not"),
        pytest.param("북한이 미사일", "북한이 미사일", id="Korean is cut at spaces"),
        pytest.param("東京で", "東 京 で", id="scripts without spaces give their characters"),
        pytest.param("ﾐｻｲﾙ", "ミ サ イ ル", id="half-width kana are kana"),
        pytest.param("กรุงเทพ", "ก รุ ง เ ท พ", id="a Thai letter keeps its marks"),
        pytest.param("🔴 — !", "", id="a text without words has none"),
    ],
)
def test_words_are_cut_and_folded(text: str, expected: str) -> None:
    assert tuple(expected.split()) == words(text)


def test_spans_count_in_the_original_text() -> None:
    text = "İstanbul’da ﬁre: 3,000 m"
    assert ["İstanbul", "da", "ﬁre", "3,000", "m"] == [text[t.start : t.end] for t in tokens(text)]


def test_scripts_without_spaces_and_korean_are_told_apart() -> None:
    assert (True, False, False) == (is_run("東"), is_run("미사일"), is_run("fire"))
    assert (True, False) == (is_hangul("미사일"), is_hangul("東"))


@given(st.text())
def test_every_span_is_inside_the_text_and_in_order(text: str) -> None:
    found = tokens(text)
    assert all(0 <= t.start < t.end <= len(text) and t.text for t in found)
    assert sorted(t.start for t in found) == [t.start for t in found]


_SIGNS = "aZé ßﬁüЯё'’.,:-_#@()\"״٫٬\u200c\u200d\u00ad\u0301\u064bابوشﷺצהל19٣３東京กุ한국हिन्द์ം½ \n🔴"


@given(st.text(st.sampled_from(_SIGNS), max_size=30) | st.text(max_size=30))
def test_the_quick_ways_cut_as_the_full_pattern_does(text: str) -> None:
    """Whatever the text is made of: the simple patterns are used only where they find the same words."""
    full = [(part, *match.span()) for match in module._TOKEN.finditer(text) for part in module._folded(match[0])]
    found, written, gaps = cut(text)
    assert [(t.text, t.start, t.end) for t in tokens(text)] == full
    assert found == [word for word, _, _ in full]
    assert "".join(gap + word for gap, word in zip(gaps, [*written, ""], strict=True)) == text
