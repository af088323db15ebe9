"""A subscriber's own template: checked when it is saved, harmless when it is filled, and never in the way of an alert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.plaintext import width
from alerts.delivery.render import Rendered, render
from alerts.delivery.template import FIELDS, LONGEST, parse_template
from alerts.errors import ConfigError
from tests.builders import a_bell, a_change, a_delivery, a_tagged, an_alert, an_item

HOOK = "webhook+https://h.example/"


def rendered(template: str, *, url: str = HOOK, is_repeat: bool = False, occasion: str = "first", **item: str) -> Rendered:
    bell = a_bell(tagged=a_tagged(1, change=a_change(1, item=an_item(1, **item))), occasion=occasion)
    alert = an_alert(bell, occasion=occasion)
    return render((bell,), alert, a_delivery(alert, is_repeat=is_repeat), rule_names=("Gates",), url=url, template=template)


def test_the_first_line_is_the_title_and_the_rest_the_body() -> None:
    message = rendered("{headline|cut:14|upper} ({rules})\n{source|lower} says so\n\n{link}")
    assert message.title == "HARBOUR GATE… (Gates)"
    assert message.body == "harbour says so\n\nhttps://harbour.example/news/1"


def test_a_line_of_which_every_placeholder_is_empty_is_left_out() -> None:
    message = rendered("{headline}\n{occasion}{news}\nWhere: {regions}\nalways {{this}}\n{words|default:no words}")
    assert message.body == "always {this}\nno words"


def test_every_placeholder_can_be_used() -> None:
    template = "\n".join(f"{name}={{{name}}}" for name in FIELDS)
    lines = {line.partition("=")[0] for line in rendered(template, is_repeat=True).body.splitlines()}
    assert lines | {"title"} == FIELDS.keys() - {"occasion", "news", "regions", "words"}


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{hedline}", r"line 1, column 1: \{hedline\} is no placeholder; did you mean headline\?"),
        ("x\n a {headline|shout}", r"line 2, column 4: \|shout is no filter"),
        ("{headline|cut}", r"\|cut wants a number"),
        ("{headline|cut:0}", r"\|cut wants a number"),
        ("{headline|cut:999999999}", r"\|cut wants a number"),
        ("{headline|upper:1}", r"\|upper takes nothing"),
        ("{headline", r"line 1, column 1: a single \{; write \{\{"),
        ("headline}", r"a single \}"),
        ("no placeholder", "every alert would read alike"),
        ("", "no placeholder"),
        ("{headline}" * 41, "at most 40"),
        ("x" * (LONGEST + 1), "at most 2,000"),
        ("{headline.__class__}", "is no placeholder"),
        ("{headline[0]}", "is no placeholder"),
        ("{headline:>99999999}", "is no placeholder"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_saved(template: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_template(template)


@pytest.mark.parametrize("template", ["{occasion}", "{news}\n{occasion}", "{nothing of the sort}", "{{}} "])
def test_a_template_that_makes_nothing_gives_way_to_the_usual_message(template: str) -> None:
    assert rendered(template) == rendered("")


def test_a_possible_repeat_is_marked_whatever_the_template_says() -> None:
    assert rendered("{headline}", is_repeat=True).body == "Possible repeat: an earlier attempt may have arrived."
    assert rendered("{headline}\n{repeat}", is_repeat=True).body.count("Possible repeat") == 1


def test_a_warning_of_our_own_knows_no_template() -> None:
    assert rendered("{headline} xyz", occasion="operator:disk").title.startswith("Tocsin warns: ")


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("@{headline}", "everyone"),
        ("<!{headline}>", "channel"),
        ("<{headline}>", "@U123"),
        ("{headline}", "@everyone"),
        ("@everyone {headline}", "x"),
    ],
)
def test_nothing_pings_when_parts_meet(template: str, title: str) -> None:
    made = rendered(template, title=title).title
    assert not any(ping in made for ping in ("@everyone", "<!channel", "<@U123"))


@given(st.text(alphabet="{}|:abcheadlinetw \n@<!\u202e", max_size=120), st.text(max_size=400))
def test_no_template_and_no_headline_break_an_alert(template: str, title: str) -> None:
    message = rendered(template, title=title, url="tgram://x")
    assert message.title
    assert width(message.title) + width(message.body) <= 4096
