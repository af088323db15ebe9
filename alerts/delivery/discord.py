"""Discord: a webhook's messages, posted and edited, with nothing in them that pings.

    discord://WEBHOOK_ID/WEBHOOK_TOKEN            ?thread=ID posts into one thread, NAME@ in front shows another name

The headline is the content, which phones show; the rest is one embed. A webhook cannot make Discord drop a repeat: `nonce` is
for bots alone, so a send that broke off may come twice. Source: docs.discord.com, "Webhook", "Rate Limits".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from alerts.delivery.codes import Code
from alerts.delivery.http_sender import json_of, lost, without_answer
from alerts.delivery.plaintext import cut
from alerts.delivery.sender import Outcome, said_by_http, wait_of_http
from alerts.errors import ConfigError
from alerts.http.client import Request, Response
from alerts.models import Envelope, ReceiptStatus

BASE_URL = "https://discord.com"
_CONTENT, _DESCRIPTION = 2000, 4096  # characters that Discord takes
_FORM = "write discord://WEBHOOK_ID/WEBHOOK_TOKEN, the last two parts of the webhook's address"
_URL = re.compile(r"discord://(?:(?P<name>[^/@?#]*)@)?(?P<id>\d+)/(?P<token>[\w-]+)/?(?:\?(?P<query>[^#]*))?(?:#.*)?", re.I)
_MARKUP = re.compile(r"([\\*_~`|>\[\]()#-])")
_LINK = re.compile(r"https?://\S+")
_SILENT = 1 << 12  # SUPPRESS_NOTIFICATIONS
_COLOURS = {1: 0xC62828, 2: 0xE65100, 3: 0xF9A825}
_NORMAL = 0x546E7A
_CODES = {  # Discord's own codes, in the answer's body
    10003: Code.CHAT_NOT_FOUND,
    10015: Code.GONE,
    50001: Code.BLOCKED,
    50013: Code.BLOCKED,
    50027: Code.UNAUTHORISED,
    50035: Code.REFUSED,
}
_UNKNOWN_MESSAGE = 10008


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook, with how it is shown and where in the channel it posts."""

    webhook_id: str
    token: str
    name: str = ""
    thread: str = ""


def parse(url: str) -> Hook:
    """The webhook of a channel URL. Raises: ConfigError."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ConfigError(f"Discord URL: it names no webhook; {_FORM}")
    query = dict(parse_qsl(match["query"] or ""))
    thread = query.get("thread", "")
    if thread and not thread.isdigit():
        raise ConfigError("Discord URL: thread= is the number of a thread; copy its id")
    name = unquote(match["name"] or "")
    return Hook(match["id"], match["token"], name[:80], thread)


class Discord:
    """What a webhook is asked, and what its answers mean."""

    def __init__(self, base_url: str = BASE_URL) -> None:
        self._base_url = base_url

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """A new message, or a change of one."""
        hook = parse(envelope.url)
        query = urlencode({"wait": "true", **({"thread_id": hook.thread} if hook.thread else {})})
        where = f"/messages/{envelope.replaces}" if envelope.replaces else ""
        return Request(
            url=f"{self._base_url}/api/v10/webhooks/{hook.webhook_id}/{hook.token}{where}?{query}",
            method="PATCH" if envelope.replaces else "POST",
            headers={"content-type": "application/json"},
            body=json.dumps(_message(envelope, hook), ensure_ascii=False).encode("utf-8", "replace"),
        )

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome | Envelope:
        """By HTTP's status and Discord's own code; the limits stand in the headers."""
        early = without_answer(response, now)
        if early:
            return early
        body = json_of(response)
        if 200 <= response.status < 300:
            return Outcome(ReceiptStatus.ACCEPTED, "accepted", "", _pause_s(response), str(body.get("id", envelope.replaces)))
        said = f"HTTP {response.status}: {body['message']}" if body.get("message") else said_by_http(response)
        if response.status == 429:
            asked = _number(str(body.get("retry_after", response.headers.get("retry-after", ""))))
            return Outcome(ReceiptStatus.TRANSIENT, said, Code.RATE_LIMITED, wait_of_http(429, asked))
        if envelope.replaces and body.get("code") == _UNKNOWN_MESSAGE:
            return lost(envelope)
        fallback = {401: Code.UNAUTHORISED, 403: Code.BLOCKED, 404: Code.GONE}.get(response.status, Code.REFUSED)
        return Outcome(ReceiptStatus.PERMANENT, said, _CODES.get(body.get("code", 0), fallback))


def _message(envelope: Envelope, hook: Hook) -> dict[str, Any]:
    embed: dict[str, Any] = {"description": cut(escaped(envelope.body), _DESCRIPTION), "color": _COLOURS.get(envelope.urgency, _NORMAL)}
    if envelope.link:
        embed |= {"title": "Read it there", "url": envelope.link}
    message: dict[str, Any] = {
        "content": f"**{cut(escaped(envelope.title), _CONTENT - 4)}**",
        "embeds": [embed] if envelope.body else [],
        "allowed_mentions": {"parse": []},
    }
    if envelope.replaces:
        return message
    if hook.name:
        message["username"] = hook.name
    return {**message, "flags": _SILENT} if envelope.is_silent else message


def escaped(text: str) -> str:
    """The text as Discord shows it without making anything of it; links stay links."""
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        parts += [_MARKUP.sub(r"\\\1", text[end : link.start()]), link[0]]
        end = link.end()
    return "".join([*parts, _MARKUP.sub(r"\\\1", text[end:])])


def _pause_s(response: Response) -> float | None:
    """Seconds until the webhook takes another message, when this one used its limit up."""
    if response.headers.get("x-ratelimit-remaining") != "0":
        return None
    return _number(response.headers.get("x-ratelimit-reset-after", ""))


def _number(text: str) -> float | None:
    try:
        return max(0.0, min(float(text), 86400.0))
    except ValueError:
        return None
