"""Which channel URLs are taken, and that no secret of theirs is ever shown."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.schemes import check_channel_url, needs_host_guard
from alerts.delivery.services import SCHEMES, mask, redact, service_of
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard

STRICT = AddressGuard()
ANY = AddressGuard(("0.0.0.0/0", "::/0"))
SECRET = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
LONG = SECRET + SECRET
SID = "AC" + "1234567890" * 3 + "12"

# One complete URL of each service; whatever stands in them is invented.
EXAMPLES = {
    "bark": f"barks://bark.example/{SECRET}",
    "console": "console:",
    "dingtalk": f"dingtalk://{SECRET}/",
    "discord": f"discord://123456789012345678/{LONG}abcd",
    "form": f"forms://user:{SECRET}@hooks.example/path",
    "gchat": f"gchat://workspace/{SECRET}/{SECRET}",
    "gotify": f"gotifys://gotify.example/{SECRET}",
    "json": f"jsons://user:{SECRET}@hooks.example/path",
    "lark": f"lark://{SECRET}",
    "line": f"line://{SECRET}/U123456",
    "mailto": f"mailtos://desk:{SECRET}@mail.example?to=editor@desk.example",
    "mastodon": f"mastodons://{SECRET}@social.example/@desk",
    "matrix": f"matrixs://desk:{SECRET}@matrix.example/#room",
    "mmost": f"mmosts://chat.example/{SECRET}",
    "mqtt": f"mqtts://desk:{SECRET}@broker.example/topic",
    "nctalk": f"nctalks://desk:{SECRET}@cloud.example/room",
    "ntfy": f"ntfys://{SECRET}@ntfy.example/topic",
    "opsgenie": f"opsgenie://{SECRET}abcd",
    "pagerduty": f"pagerduty://{SECRET}@{SECRET}",
    "pbul": f"pbul://{SECRET}",
    "pover": f"pover://{SECRET[:30]}@{SECRET[:30]}",
    "rocket": f"rockets://desk:{SECRET}@rocket.example/#room",
    "signal": "signals://signal.example/+15551234567/+15557654321",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/abcdefghijklmnopqrstuvwx/#room",
    "tgram": "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345/12345678/",
    "twilio": f"twilio://{SID}:{SECRET}@15551234567/15557654321",
    "webhook": f"webhook+https://hooks.example/path?secret=whsec_{SECRET}",
    "xml": f"xmls://user:{SECRET}@hooks.example/path",
    "workflow": f"workflows://flows.example:443/{SECRET}/{SECRET}",
    "wxteams": f"wxteams://{LONG}{SECRET[:16]}",
    "zulip": f"zulip://desk@organisation/{SECRET}",
}


@pytest.mark.parametrize("service", sorted(EXAMPLES))
def test_a_complete_url_of_each_service_is_taken(service: str) -> None:
    check_channel_url(EXAMPLES[service], ANY, resolve=False)
    assert service_of(EXAMPLES[service]) == service


def test_every_service_of_the_table_has_an_example() -> None:
    assert {s.key for s in SCHEMES.values()} - EXAMPLES.keys() == set()


@pytest.mark.parametrize("service", sorted(EXAMPLES))
def test_a_masked_url_shows_no_secret(service: str) -> None:
    shown = mask(EXAMPLES[service])
    for secret in (SECRET, SECRET[:30], "123456789", "abcdefghijklmnopqrstuvwx", SID, "topic", "path", "desk:"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("json://user:pass@hooks.example:8080/path?x=y", "json://hooks.example:8080/***"),
        ("json://[2001:db8::1]:8080/path", "json://[2001:db8::1]:8080/***"),
        ("ntfy://my-secret-topic", "ntfy://***"),
        ("tgram://123:secret/456", "tgram://***"),
        ("json://host.example:port/", "json://***"),
        ("console:json", "console:json"),
        ("nonsense", "***"),
        ("", "***"),
    ],
)
def test_the_mask_shows_the_host_only_where_it_is_no_secret(url: str, shown: str) -> None:
    assert mask(url) == shown


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "syslog://", "dbus://", "apprise://host.example/token", "vapid://me@desk.example", "windows://", "xjson://h"],
)
def test_a_scheme_that_is_not_on_the_list_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is not one of the services; allowed are bark"):
        check_channel_url(url, ANY, resolve=False)


@pytest.mark.parametrize("url", ["", "   ", "hello", "://x", "/etc/passwd", "@"])
def test_a_text_without_scheme_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="no scheme"):
        check_channel_url(url, ANY, resolve=False)


def test_a_plain_web_address_is_answered_with_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"webhook\+https:// does"):
        check_channel_url("https://hooks.example/x", ANY, resolve=False)


@pytest.mark.parametrize(
    "parameter",
    [
        *("verify=no", "VERIFY=no", "%76erify=no", "redirect=yes", "overflow=split", "format=html"),
        *("optional=yes", "retry=9", "wait=9", "store=yes", "cto=99", "rto=99"),
    ],
)
def test_parameters_that_switch_a_check_off_are_refused(parameter: str) -> None:
    for before in ("", "method=post&", "method=post;"):
        url = f"json://hooks.example/?{before}{parameter}"
        with pytest.raises(ConfigError, match="parameter"):
            check_channel_url(url, ANY, resolve=False)


@pytest.mark.parametrize(
    "url",
    [
        "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345/12345678/?template=/etc/passwd",
        f"discord://123456789012345678/{LONG}abcd?template=/etc/passwd",
        "mailtos://desk:pw@mail.example?pgppub=/etc/passwd",
        "mailtos://desk:pw@mail.example?wkd=yes",
        "ntfy://ntfy.example/topic?attach=file:///etc/passwd",
    ],
)
def test_parameters_that_open_local_files_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is refused: "):
        check_channel_url(url, ANY, resolve=False)


def test_a_check_switched_off_behind_a_fragment_is_found_too() -> None:
    with pytest.raises(ConfigError, match="certificates are always checked"):
        check_channel_url("json://hooks.example/path#part?verify=no", ANY, resolve=False)


def test_a_mistyped_parameter_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"json:// has no parameter metod=; it has .*method"):
        check_channel_url("json://hooks.example/?metod=put", ANY, resolve=False)


def test_headers_and_fields_of_ones_own_are_taken() -> None:
    check_channel_url("jsons://hooks.example/?+X-Desk=night&:kind=alert&-part=1", ANY, resolve=False)


@pytest.mark.parametrize("evil", ["%0d%0aRCPT%20TO", "%250d%250a", "\r\n", "%00", "%E2%80%A8", "\x1b[31m", "%c2%85"])
def test_control_characters_are_refused_in_every_part(evil: str) -> None:
    for url in (
        f"mailtos://desk:pw@mail.example?name=Desk{evil}x",
        f"json://us{evil}er:pw@hooks.example/",
        f"json://hooks.example/pa{evil}th",
        f"webhook+https://hooks.example/{evil}",
    ):
        with pytest.raises(ConfigError, match="control character"):
            check_channel_url(url, ANY, resolve=False)


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1/", "json://[::1]/", "webhook+http://169.254.169.254/latest", "gotify://10.0.0.8/token123456789", "json://localhost/"]
)
def test_a_host_inside_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(ConfigError, match=r"is a .*allow_networks"):
        check_channel_url(url, STRICT)


def test_an_smtp_server_hidden_in_a_parameter_is_judged_too() -> None:
    with pytest.raises(ConfigError, match="loopback"):
        check_channel_url("mailtos://desk:pw@mail.example?smtp=127.0.0.1", STRICT)


def test_mail_ports_are_no_obstacle_and_others_are() -> None:
    check_channel_url("mailto://desk:pw@mail.example:2525?smtp=93.184.216.34", STRICT, resolve=False)
    with pytest.raises(ConfigError, match="port 8080"):
        check_channel_url("json://93.184.216.34:8080/", STRICT)


def test_a_host_that_does_not_resolve_is_told_at_once() -> None:
    with pytest.raises(ConfigError, match="does not resolve"):
        check_channel_url("json://hooks.invalid/", STRICT)


def test_fixed_services_need_no_host_guard() -> None:
    assert [needs_host_guard(EXAMPLES[s]) for s in ("tgram", "discord", "slack", "pover", "console")] == [[]] * 5
    assert needs_host_guard(EXAMPLES["mailto"]) == [("mail.example", 587)]
    assert needs_host_guard("ntfy://just-a-topic") == []


def test_a_url_that_a_plugin_stumbles_over_is_refused_like_any_other() -> None:
    with pytest.raises(ConfigError, match="is not complete"):
        check_channel_url("tgram://123:abcdef/5? ", ANY, resolve=False)


def test_an_incomplete_url_is_answered_with_where_its_form_is_told() -> None:
    with pytest.raises(ConfigError, match=r"slack://\*\*\* is not complete.*https://"):
        check_channel_url("slack://onlyone", ANY, resolve=False)


@pytest.mark.parametrize("service", sorted(EXAMPLES.keys() - {"console"}))
def test_a_masked_url_is_not_taken_for_a_channel(service: str) -> None:
    with pytest.raises(ConfigError, match="masked form"):
        check_channel_url(mask(EXAMPLES[service]), ANY, resolve=False)


def test_a_very_long_url_is_refused() -> None:
    with pytest.raises(ConfigError, match="at most 4,000"):
        check_channel_url("json://hooks.example/" + "a" * 5000, ANY, resolve=False)


@pytest.mark.parametrize("query", ["secret=whsec_!!!", "secret=", "secret=whsec_"])
def test_a_webhook_secret_that_is_none_is_refused_without_repeating_it(query: str) -> None:
    with pytest.raises(ConfigError, match="secret= is") as caught:
        check_channel_url(f"webhook+https://hooks.example/?{query}", ANY, resolve=False)
    assert "!!!" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["webhook+https://", "webhook+https:///path", "webhook+http://h.example:99999/", "webhook+https://h ost/", "webhook+https://[::1"]
)
def test_a_webhook_without_a_proper_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="webhook URL"):
        check_channel_url(url, ANY, resolve=False)


@given(st.text(max_size=60), st.sampled_from(["", *sorted(SCHEMES)]), st.sampled_from(["", ":", "://", "://x.example/", "://u:p@h/?"]))
def test_no_text_at_all_breaks_the_gate(text: str, scheme: str, middle: str) -> None:
    url = f"{scheme}{middle}{text}"
    with suppress(ConfigError):
        check_channel_url(url, ANY, resolve=False)
    assert isinstance(mask(url), str)
    assert isinstance(redact(url, url), str)


def test_a_detail_loses_every_part_of_the_url_but_the_host() -> None:
    url = f"json://user:p%40ssword@hooks.example:8080/{SECRET}?+X-Token=tok12345"
    said = f"POST http://user:p@ssword@hooks.example:8080/{SECRET}\nfailed: tok12345 p%40ssword"
    shown = redact(said, url)
    assert "hooks.example:8080" in shown
    for secret in ("p@ssword", "p%40ssword", SECRET, "tok12345", "\n"):
        assert secret not in shown
