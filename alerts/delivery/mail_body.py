"""A mail as it is read: text and HTML, headers that thread a story, and one click to end it.

All mails about one story on one channel refer to the same root, which the first of them bears as its own Message-ID; so they
form a thread without anything being remembered, and a repeat has the id of the first attempt. The HTML frame is made once
by mrml from a template; what an alert says is put in escaped. Source: RFC 5322, 3.6.4; RFC 8058.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

import mrml

from alerts.delivery.mail_url import MailTarget
from alerts.models import Envelope
from alerts.text.fingerprint import content_id

_LABEL = re.compile(r"([A-Z][\w ]{1,14}): (.+)", re.S)
_LINK = re.compile(r"https?://\S+")
_COLOURS = {1: "#c62828", 2: "#e65100", 3: "#f9a825"}
_NORMAL = "#546e7a"
_IMPORTANCE = {1: "high", 2: "high"}
_FRAME = """
<mjml>
  <mj-head>
    <mj-preview>@@PREVIEW@@</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="15px" line-height="1.5" color="#212121" padding="4px 24px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f5f5f5">
    <mj-section background-color="#ffffff" border-top="4px solid @@COLOUR@@" padding="16px 0">
      <mj-column>
        <mj-text font-size="20px" font-weight="bold" line-height="1.3"><div dir="auto">@@TITLE@@</div></mj-text>
        <mj-text>@@BODY@@</mj-text>
      </mj-column>
    </mj-section>
    <mj-section padding="8px 0">
      <mj-column><mj-text font-size="12px" color="#757575">@@FOOT@@</mj-text></mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


def mail_of(envelope: Envelope, target: MailTarget, now: datetime) -> bytes:
    """The whole mail, lines ended by CR LF."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(target.name, target.sender)
    mail["To"] = ", ".join(target.to) or "undisclosed-recipients:;"
    if target.cc:
        mail["Cc"] = ", ".join(target.cc)
    if target.reply_to:
        mail["Reply-To"] = ", ".join(target.reply_to)
    mail["Subject"] = _one_line(envelope.title) or "Tocsin"
    mail["Date"] = format_datetime(now)
    _thread(mail, envelope, target)
    mail["Auto-Submitted"] = "auto-generated"
    if envelope.urgency in _IMPORTANCE:
        mail["Importance"] = _IMPORTANCE[envelope.urgency]
    if envelope.unsubscribe_url.startswith("https://"):  # RFC 8058 allows no other
        mail["List-Unsubscribe"] = f"<{envelope.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for name, value in target.headers:
        mail[name] = value
    mail.set_content(_text(envelope), cte="quoted-printable")
    mail.add_alternative(_html(envelope), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def _thread(mail: EmailMessage, envelope: Envelope, target: MailTarget) -> None:
    """Message-ID by our key, References by the story."""
    domain = target.sender.rpartition("@")[2]
    story, occasion = envelope.payload.get("story"), envelope.payload.get("occasion")
    own = f"<{envelope.delivery_id}@{domain}>"
    if not story or envelope.payload.get("kind") != "alert":
        mail["Message-ID"] = own
        return
    root = f"<{content_id('thread', envelope.channel_id, str(story))}@{domain}>"
    mail["Message-ID"] = root if occasion == "first" else own
    if occasion != "first":
        mail["In-Reply-To"] = root
        mail["References"] = root


def _address(name: str, address: str) -> Address:
    return Address(display_name=_one_line(name), addr_spec=address)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------- what is read


def _text(envelope: Envelope) -> str:
    foot = f"\n\n-- \nTo end these mails: {envelope.unsubscribe_url}" if envelope.unsubscribe_url else ""
    return f"{envelope.body or envelope.title}{foot}\n"


def _html(envelope: Envelope) -> str:
    lines = [line for line in (envelope.body or envelope.title).splitlines() if line.strip()]
    parts = {
        "@@PREVIEW@@": html.escape(_one_line(envelope.body)[:140]),
        "@@COLOUR@@": _COLOURS.get(envelope.urgency, _NORMAL),
        "@@TITLE@@": html.escape(envelope.title),
        "@@BODY@@": "".join(f'<div dir="auto" style="padding:3px 0">{_line(line)}</div>' for line in lines),
        "@@FOOT@@": _foot(envelope),
    }
    return re.sub("|".join(parts), lambda found: parts[found[0]], _frame())


@lru_cache(maxsize=1)
def _frame() -> str:
    """The frame as HTML with its places still open; its colour stands in a style, where mrml would refuse the place."""
    rendered = mrml.to_html(_FRAME.replace("@@COLOUR@@", "#010203"))
    return str(getattr(rendered, "content", rendered)).replace("#010203", "@@COLOUR@@")


def _line(line: str) -> str:
    """One line of the body as HTML: its label bold, its links links."""
    label = _LABEL.fullmatch(line)
    text, start = (label[2], f"<b>{html.escape(label[1])}:</b> ") if label else (line, "")
    parts, end = [start], 0
    for link in _LINK.finditer(text):
        address = html.escape(link[0])
        parts += [html.escape(text[end : link.start()]), f'<a href="{address}">{address}</a>']
        end = link.end()
    return "".join([*parts, html.escape(text[end:])])


def _foot(envelope: Envelope) -> str:
    own = "Sent by Tocsin, because a rule of yours rang."
    if not envelope.unsubscribe_url:
        return own
    return f'{own} <a href="{html.escape(envelope.unsubscribe_url)}">End these mails</a>'
