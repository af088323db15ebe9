"""ntfy: messages published as JSON, updated in place by their sequence id, with priority, tags, click and an action.

    ntfy://TOPIC                       the public server ntfy.sh
    ntfys://HOST/TOPIC                 a server of one's own; USER:PASSWORD@ or TOKEN@ in front of the host
    ?priority=  tags=  click=  icon=  email=  actions=  auth=  mode=       as in Apprise; the urgency decides what is not set

A message's sequence id is our key, so that a repeat takes the first one's place on the phone. Servers before 2.16 know no
sequence ids and show both. Source: docs.ntfy.sh, "Publish as JSON", "Updating notifications".
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from alerts.delivery.http_sender import json_of, without_answer
from alerts.delivery.plaintext import Unit, cut
from alerts.delivery.sender import Outcome, code_of_http, retry_after_s, said_by_http, status_of_http, wait_of_http
from alerts.delivery.webhook import basic
from alerts.errors import ConfigError
from alerts.http.client import Request, Response
from alerts.models import Envelope, ReceiptStatus

LONGEST = 4096  # bytes of a message; the server makes a file of a longer one
_LONGEST_TITLE = 1000  # bytes
_PUBLIC = "ntfy.sh"
_FORM = "write ntfy://TOPIC for ntfy.sh, or ntfys://HOST/TOPIC"
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_PRIORITIES = {1: 5, 2: 4}  # by urgency; the rest is 3, the server's default
_SILENT = 2
_BY_NAME = (("mi", 1), ("l", 2), ("mo", 2), ("n", 3), ("d", 3), ("h", 4), ("ma", 5), ("e", 5), ("u", 5))
_URGENCY_TAGS = {1: "rotating_light", 2: "warning"}
_OCCASION_TAGS = {"correction": "pencil2", "all_clear": "white_check_mark", "update": "arrows_counterclockwise"}
_QUOTA = 42908  # ntfy's code for the day's messages being used up
_QUOTA_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a channel publishes, and what its URL sets once and for all."""

    base_url: str
    topic: str
    authorization: str = ""
    priority: int = 0
    tags: tuple[str, ...] = ()
    click: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_public(self) -> bool:
        """Whether the server is ntfy.sh."""
        return self.base_url == f"https://{_PUBLIC}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port that are dialled."""
        parts = urlsplit(self.base_url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def parse(url: str) -> Topic:
    """The topic of a channel URL. Raises: ConfigError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"ntfy URL: {error}; {_FORM}") from error
    query = dict(parse_qsl(parts.query))
    topics = [unquote(part) for part in parts.path.split("/") if part] + [t for t in re.split(r"[,\s]+", query.get("to", "")) if t]
    raw_host = parts.netloc.rpartition("@")[2].partition(":")[0]  # a topic keeps its capitals
    is_public = host == _PUBLIC or query.get("mode", "").lower() == "cloud" or (not topics and query.get("mode", "").lower() != "private")
    if is_public and host != _PUBLIC:
        topics.insert(0, unquote(raw_host))
    if len(topics) != 1 or not _TOPIC.fullmatch(topics[0]):
        what = "one channel is one topic: add a channel for each" if len(topics) > 1 else "a topic is up to 64 of a-z, A-Z, 0-9, _ and -"
        raise ConfigError(f"ntfy URL: {what}; {_FORM}")
    scheme = "https" if is_public or parts.scheme.lower() == "ntfys" else "http"
    server = f"[{host}]" if ":" in host else host
    return Topic(
        base_url=f"https://{_PUBLIC}" if is_public else f"{scheme}://{server}{f':{port}' if port else ''}",
        topic=topics[0],
        authorization=_authorization(parts.username, parts.password, query),
        priority=_priority(query.get("priority", "")),
        tags=tuple(t for t in re.split(r"[,\s]+", query.get("xtags") or query.get("tags") or "") if t),
        click=query.get("click", ""),
        headers=_headers(query),
    )


def _authorization(user: str | None, password: str | None, query: dict[str, str]) -> str:
    token = query.get("token", "")
    if not token and user and not password and (query.get("auth", "").lower() == "token" or user.lower().startswith("tk_")):
        token = unquote(user)
    if not token and query.get("auth", "").lower() == "token":
        token = unquote(password or "")
    return f"Bearer {token}" if token else basic(user, password)


def _priority(text: str) -> int:
    """1 to 5 by number or name; 0 when the URL sets none."""
    if text in ("1", "2", "3", "4", "5"):
        return int(text)
    return next((number for name, number in _BY_NAME if text.lower().startswith(name)), 0)


def _headers(query: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """What has no place in the JSON as a person writes it."""
    names = {"actions": "x-actions", "email": "x-email", "delay": "x-delay", "icon": "x-icon", "avatar_url": "x-icon"}
    return tuple((header, header_text(query[name])) for name, header in names.items() if query.get(name))


def header_text(text: str) -> str:
    """The text as a header carries it: RFC 2047 where it is not ASCII, as ntfy reads it."""
    if text.isascii() and text.isprintable():
        return text
    return f"=?UTF-8?B?{base64.b64encode(text.encode('utf-8', 'replace')).decode()}?="


class Ntfy:
    """What a server is asked, and what its answers mean."""

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """A publication; an update is one under the sequence id of the message it replaces."""
        topic = parse(envelope.url)
        headers = {"content-type": "application/json; charset=utf-8", "x-sequence-id": _sequence(envelope), **dict(topic.headers)}
        if topic.authorization:
            headers["authorization"] = topic.authorization
        body = json.dumps(_message(envelope, topic), ensure_ascii=False).encode("utf-8", "replace")
        return Request(url=f"{topic.base_url}/", method="POST", headers=headers, body=body)

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome:
        """By HTTP's status and ntfy's own words."""
        early = without_answer(response, now)
        if early:
            return early
        if 200 <= response.status < 300:
            return Outcome(ReceiptStatus.ACCEPTED, "accepted", message_ref=_sequence(envelope))
        body = json_of(response)
        said = f"HTTP {response.status}: {body['error']}" if body.get("error") else said_by_http(response)
        wait_s = wait_of_http(response.status, retry_after_s(response.headers.get("retry-after", ""), now))
        if body.get("code") == _QUOTA:
            wait_s = _QUOTA_WAIT_S
        return Outcome(status_of_http(response.status), said, code_of_http(response.status), wait_s)


def _sequence(envelope: Envelope) -> str:
    return envelope.replaces or envelope.delivery_id[:64]


def _message(envelope: Envelope, topic: Topic) -> dict[str, Any]:
    priority = topic.priority or _PRIORITIES.get(envelope.urgency, 3)
    message: dict[str, Any] = {
        "topic": topic.topic,
        "title": cut(envelope.title, _LONGEST_TITLE, Unit.BYTES),
        "message": cut(envelope.body or envelope.title, LONGEST, Unit.BYTES),
        "priority": _SILENT if envelope.is_silent else priority,
        "tags": [*_tags(envelope), *topic.tags],
        "sequence_id": _sequence(envelope),
    }
    link = topic.click or envelope.link
    if link:
        message["click"] = link
    if envelope.link and not any(name == "x-actions" for name, _ in topic.headers):
        message["actions"] = [{"action": "view", "label": "Read", "url": envelope.link}]
    return message


def _tags(envelope: Envelope) -> list[str]:
    occasion = str(envelope.payload.get("occasion", "")).partition(":")[0]
    found = (_URGENCY_TAGS.get(envelope.urgency, ""), _OCCASION_TAGS.get(occasion, ""))
    return [tag for tag in found if tag]
