"""The services a channel may name, by the schemes under which Apprise registers them, and how their URLs are shown.

What is not in the table is refused. Left out on purpose: what acts on this machine (syslog, dbus, windows), what reads
files (vapid wants its subscriptions in one), what chains to other senders (apprise), and what few people use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from alerts.delivery.plaintext import Unit

_SCHEME = re.compile(r"([a-z0-9][a-z0-9+.-]{0,40}):", re.I)
_SHORTEST_SECRET = 4  # shorter parts of a URL occur in any text
_LONGEST_DETAIL = 300
_SHORT_DETAIL = 60  # a longer one is cleaned without looking first whether it has to be


class Service(NamedTuple):
    """One service: how long a message may be, whether its URLs name a host of one's own, and what it can do with a message."""

    key: str
    name: str
    body: int
    title: int = 250  # 0 = it has no titles: the title becomes the first line of the body
    has_host: bool = False
    unit: Unit = Unit.UTF16  # what body and title are counted in
    updates: bool = False  # a message can be changed after it was sent
    isolates: bool = True  # it shows bidirectional isolates as nothing, as Unicode says


_TABLE = (
    # Native senders.
    (("console",), Service("console", "console", 2000, isolates=False)),
    (("webhook+https", "webhook+http"), Service("webhook", "webhook (Standard Webhooks)", 8000, has_host=True)),
    (("tgram",), Service("tgram", "Telegram", 4096, 0, updates=True)),
    (("ntfy", "ntfys"), Service("ntfy", "ntfy", 3900, 400, has_host=True, unit=Unit.BYTES, updates=True)),  # over 4,096 it is a file
    (("discord",), Service("discord", "Discord", 1900, updates=True)),
    (("mastodon", "mastodons", "toot", "toots"), Service("mastodon", "Mastodon", 440, 0, has_host=True, updates=True)),
    (("mailto", "mailtos"), Service("mailto", "e-mail", 8000, 200, has_host=True)),
    # Through Apprise.
    (("json", "jsons"), Service("json", "JSON over HTTP", 8000, has_host=True)),
    (("xml", "xmls"), Service("xml", "XML over HTTP", 8000, has_host=True)),
    (("form", "forms"), Service("form", "HTML form over HTTP", 8000, has_host=True)),
    (("gotify", "gotifys"), Service("gotify", "Gotify", 4000, has_host=True)),
    (("bark", "barks"), Service("bark", "Bark", 3000, 400, has_host=True, unit=Unit.BYTES)),  # Apple takes 4,096 in all
    (("slack",), Service("slack", "Slack", 4000)),
    (("matrix", "matrixs"), Service("matrix", "Matrix", 8000, has_host=True)),
    (("mmost", "mmosts"), Service("mmost", "Mattermost", 3800, 0, has_host=True)),
    (("rocket", "rockets"), Service("rocket", "Rocket.Chat", 950, 0, has_host=True)),
    (("workflow", "workflows"), Service("workflow", "Microsoft Teams (workflows)", 900, has_host=True)),
    (("wxteams", "webex"), Service("wxteams", "Webex", 950, 0)),
    (("gchat",), Service("gchat", "Google Chat", 3800, 0)),
    (("zulip",), Service("zulip", "Zulip", 9000, 60)),
    (("nctalk", "nctalks"), Service("nctalk", "Nextcloud Talk", 8000, has_host=True)),
    (("line",), Service("line", "LINE", 4800, 0)),
    (("lark", "feishu"), Service("lark", "Lark and Feishu", 8000, 0)),
    (("dingtalk",), Service("dingtalk", "DingTalk", 8000)),
    (("signal", "signals"), Service("signal", "Signal (REST API)", 4000, 0, has_host=True)),
    (("twilio",), Service("twilio", "SMS by Twilio", 300, 0, isolates=False)),
    (("pover",), Service("pover", "Pushover", 1000, 240)),
    (("pbul",), Service("pbul", "Pushbullet", 4000)),
    (("pagerduty",), Service("pagerduty", "PagerDuty", 1000, 0)),
    (("opsgenie",), Service("opsgenie", "Opsgenie", 8000, 120)),
    (("mqtt", "mqtts"), Service("mqtt", "MQTT", 8000, 0, has_host=True)),
)  # fmt: skip

SCHEMES: Mapping[str, Service] = {scheme: service for schemes, service in _TABLE for scheme in schemes}


def scheme_of(url: str) -> str:
    """The scheme in lower case; empty when the text has none."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def service_of(url: str) -> str:
    """The key of the URL's service; empty when it is not in the table."""
    service = SCHEMES.get(scheme_of(url))
    return service.key if service else ""


def can_update(url: str) -> bool:
    """Whether a message to this channel can take the place of an earlier one, without ringing."""
    service = SCHEMES.get(scheme_of(url))
    return service is not None and service.updates


def mask(url: str) -> str:
    """The URL with everything secret as ***: its scheme, and its host where that is no secret."""
    scheme = scheme_of(url)
    service = SCHEMES.get(scheme)
    if service is None:
        return "***"
    if service.key == "console":
        return url if url in ("console:", "console:json") else "console:***"
    host = _shown_host(url) if service.has_host else ""
    return f"{scheme}://{host}/***" if host else f"{scheme}://***"


def _shown_host(url: str) -> str:
    """Host and port, unless what stands in their place may be a topic or a token."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if not _is_host(host):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost" or ("." in host and re.fullmatch(r"[\w.-]+", host) is not None)
    return True


def redact(text: str, url: str) -> str:
    """The text on one line, cut, with every secret part of the URL as ***."""
    line = " ".join(text.split())
    if len(line) <= _SHORT_DETAIL and not _shares(line, url):
        return line
    for secret in sorted(_secrets(url), key=len, reverse=True):
        line = line.replace(secret, "***")
    return line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 1]}…"


def _shares(line: str, url: str) -> bool:
    """Whether any four characters of the line stand in the URL, as they do when one of its secrets is in the line."""
    known = url + unquote(url)
    return any(line[i : i + _SHORTEST_SECRET] in known for i in range(len(line) - _SHORTEST_SECRET + 1))


def _secrets(url: str) -> set[str]:
    """What stands in user, password, path and query of the URL, and in its host where that is a token."""
    _, _, rest = url.partition(":")
    shown = set(re.split(r"[:\[\]]", _shown_host(url))) if "://" in mask(url) else set()
    raw = {part for part in re.split(r"[/?&=#@:;,]", rest) if part}
    found = raw | {unquote(part) for part in raw}
    return {part for part in found if len(part) >= _SHORTEST_SECRET and part not in shown}
