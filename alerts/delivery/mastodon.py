"""Mastodon: statuses, posted once whatever happens, and edited.

    mastodons://TOKEN@HOST             ?visibility=, spoiler=, language=; /@NAME or /#TAG behind it are named in each status
    toots://TOKEN@HOST                 the same, public

Our key goes into the header Idempotency-Key, where the server looks for it: a status that was sent twice stands there once.
(Apprise puts it into the body, where nobody looks.) Source: docs.joinmastodon.org, "statuses API methods", "Rate limits".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from alerts.delivery.codes import Code
from alerts.delivery.http_sender import json_of, lost, without_answer
from alerts.delivery.plaintext import cut, width
from alerts.delivery.sender import Outcome, code_of_http, retry_after_s, said_by_http, status_of_http, wait_of_http
from alerts.errors import ConfigError
from alerts.http.client import Request, Response
from alerts.models import Envelope, ReceiptStatus

_LONGEST = 500  # characters of a status; servers may allow more
_FORM = "write mastodons://ACCESS_TOKEN@HOST"
_VISIBILITIES = ("public", "unlisted", "private", "direct")
_TARGET = re.compile(r"[@#]?[\w.-]+(?:@[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class Account:
    """Where statuses are posted, and how."""

    base_url: str
    token: str
    named: tuple[str, ...] = ()  # people and tags, as they are written in a status
    visibility: str = ""
    spoiler: str = ""
    language: str = ""


def parse(url: str) -> Account:
    """The account of a channel URL. Raises: ConfigError."""
    try:
        parts = urlsplit(re.sub(r"/#", "/%23", url))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"Mastodon URL: {error}; {_FORM}") from error
    query = dict(parse_qsl(parts.query))
    token = query.get("token") or ("" if parts.password else unquote(parts.username or ""))
    if not host or not token:
        raise ConfigError(f"Mastodon URL: it names no {'host' if not host else 'access token'}; {_FORM}")
    visibility = query.get("visibility", "").lower() or ("public" if parts.scheme.startswith("toot") else "")
    if visibility and visibility != "default" and visibility not in _VISIBILITIES:
        raise ConfigError(f"Mastodon URL: visibility= is one of {', '.join(_VISIBILITIES)}")
    targets = [unquote(part) for part in parts.path.split("/") if part] + [t for t in re.split(r"[,\s]+", query.get("to", "")) if t]
    if not all(_TARGET.fullmatch(target) for target in targets):
        raise ConfigError("Mastodon URL: what stands behind the host is /@NAME or /#TAG")
    scheme = "https" if parts.scheme.lower() in ("mastodons", "toots") else "http"
    return Account(
        base_url=f"{scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}",
        token=token,
        named=tuple(target if target[0] in "@#" else f"@{target}" for target in targets),
        visibility="" if visibility == "default" else visibility,
        spoiler=query.get("spoiler", ""),
        language=query.get("language", ""),
    )


class Mastodon:
    """What a server is asked, and what its answers mean."""

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """A new status, or a change of one."""
        account = parse(envelope.url)
        where = f"/{envelope.replaces}" if envelope.replaces else ""
        return Request(
            url=f"{account.base_url}/api/v1/statuses{where}",
            method="PUT" if envelope.replaces else "POST",
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {account.token}",
                "idempotency-key": envelope.delivery_id,
            },
            body=json.dumps(_status(envelope, account), ensure_ascii=False).encode("utf-8", "replace"),
        )

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome | Envelope:
        """By HTTP's status and the server's words."""
        early = without_answer(response, now)
        if early:
            return early
        body = json_of(response)
        if 200 <= response.status < 300:
            return Outcome(ReceiptStatus.ACCEPTED, "accepted", message_ref=str(body.get("id", envelope.replaces)))
        if envelope.replaces and response.status == 404:
            return lost(envelope)
        said = f"HTTP {response.status}: {body['error']}" if body.get("error") else said_by_http(response)
        code = Code.TOO_LONG if response.status == 422 and "character limit" in said else code_of_http(response.status)
        wait_s = wait_of_http(response.status, _asked_s(response, now))
        return Outcome(status_of_http(response.status), said, code, wait_s)


def _status(envelope: Envelope, account: Account) -> dict[str, Any]:
    named = f"{' '.join(account.named)} " if account.named else ""
    text = f"{envelope.title}\n{envelope.body}".strip()
    status: dict[str, Any] = {"status": f"{named}{cut(text, _LONGEST - width(named))}"}
    chosen = {"visibility": account.visibility, "spoiler_text": account.spoiler, "language": account.language}
    return {**status, **{name: value for name, value in chosen.items() if value and not (envelope.replaces and name == "visibility")}}


def _asked_s(response: Response, now: datetime) -> float | None:
    """Seconds until the limit is reset: Retry-After, or the time that Mastodon names."""
    asked = retry_after_s(response.headers.get("retry-after", ""), now)
    if asked is not None:
        return asked
    try:
        reset = datetime.fromisoformat(response.headers.get("x-ratelimit-reset", ""))
        return (reset - now).total_seconds()
    except (ValueError, TypeError):
        return None
