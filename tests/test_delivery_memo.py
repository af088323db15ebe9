"""What a batch shares is made once, and is what each would have been told by itself."""

from __future__ import annotations

from itertools import count

import pytest

from alerts.delivery.memo import Memo
from alerts.delivery.render import Rendered, render
from tests.builders import a_bell, a_delivery, an_alert

HOOK, PHONE = "webhook+https://hooks.example/", "tgram://123456:abc/5"


def test_what_is_asked_again_of_the_same_bell_is_made_once() -> None:
    memo, bell, made = Memo(), a_bell(), count()
    assert [memo.of(bell, "words", lambda: next(made)) for _ in range(3)] == [0, 0, 0]
    assert memo.of(bell, "fields", lambda: next(made)) == 1
    assert memo.of(a_bell(), "words", lambda: next(made)) == 2, "equal is not enough: it may have changed"


def test_a_bell_is_held_so_that_no_other_takes_its_identity() -> None:
    memo = Memo()
    made = [memo.of(a_bell(n), "number", lambda n=n: n) for n in range(100)]  # type: ignore[misc]
    assert made == list(range(100))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"rule_names": ("Gates", "Ports")}, id="rules"),
        pytest.param({"matched": ("gate",)}, id="words"),
        pytest.param({"zone": "Asia/Kolkata"}, id="zone"),
        pytest.param({"template": "{headline|upper}\n{link}"}, id="template"),
        pytest.param({"url": PHONE}, id="service"),
        pytest.param({"is_repeat": True}, id="possible repeat"),
    ],
)
def test_who_is_told_in_other_words_is_told_in_them_also_within_a_batch(other: dict[str, object]) -> None:
    bell, memo = a_bell(), Memo()

    def message(memo: Memo | None, **fields: object) -> Rendered:
        given = {"rule_names": ("Gates",), "url": HOOK, "is_repeat": False, **fields}
        alert = an_alert(bell)
        delivery = a_delivery(alert, is_repeat=bool(given.pop("is_repeat")))
        return render((bell,), alert, delivery, memo=memo, **given)  # type: ignore[arg-type]

    plain, different = message(memo), message(memo, **other)
    assert (plain, different) == (message(None), message(None, **other))
    assert message(memo) == plain
