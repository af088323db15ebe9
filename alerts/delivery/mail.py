"""E-mail: one mail a delivery over kept connections, and an answer for each recipient.

A recipient that refuses for good has bounced; one that puts us off is tried again, alone: who has it already is remembered,
and not told twice. Silent updates are not mailed (`can_update`); louder occasions come as mails of the same thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from alerts.delivery import mail_url
from alerts.delivery.codes import Code
from alerts.delivery.mail_body import mail_of
from alerts.delivery.sender import Clock, Outcome, receipt_of, utc_now
from alerts.delivery.smtp import Answer, MailFailedError, SmtpPool
from alerts.models import Envelope, Receipt, ReceiptStatus

_MOST_REMEMBERED = 1000  # mails of which some recipients are still to be told


class MailSender:
    """Sends mails; may be used by many threads at once.

    Args:
        pool: Talks to servers.
        clock: Dates mails and receipts; UTC.
    """

    def __init__(self, pool: SmtpPool, *, clock: Clock = utc_now) -> None:
        self._pool = pool
        self._clock = clock
        self._lock = threading.Lock()
        self._settled: OrderedDict[str, dict[str, Answer]] = OrderedDict()

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What the server answered. Raises: ConfigError when the URL cannot be read."""
        target = mail_url.parse(envelope.url)
        before = self._before(envelope.delivery_id)
        left = [one for one in target.recipients if one not in before]
        content = mail_of(envelope, target, self._clock())
        try:
            answers = before | self._pool.deliver(target.account, target.sender, left, content, timeout_s)
        except MailFailedError as error:
            return receipt_of(envelope, _failed(error), self._clock())
        outcome = outcome_of(answers)
        self._remember(envelope.delivery_id, answers if outcome.status is ReceiptStatus.TRANSIENT else {})
        return receipt_of(envelope, outcome, self._clock())

    def _before(self, delivery_id: str) -> dict[str, Answer]:
        """The recipients of this delivery who need not be asked again: they have it, or will never take it."""
        with self._lock:
            return self._settled.get(delivery_id, {})

    def _remember(self, delivery_id: str, answers: Mapping[str, Answer]) -> None:
        settled = {r: answer for r, answer in answers.items() if answer.status < 400 or answer.is_final}
        with self._lock:
            self._settled.pop(delivery_id, None)
            if settled:
                self._settled[delivery_id] = settled
            if len(self._settled) > _MOST_REMEMBERED:
                self._settled.popitem(last=False)


def outcome_of(answers: Mapping[str, Answer]) -> Outcome:
    """What the answers to all recipients amount to: waiting for one is waiting, one who has it is accepted."""
    taken = [answer for answer in answers.values() if answer.status < 400]
    final = {r: answer for r, answer in answers.items() if answer.is_final}
    passing = [answer for answer in answers.values() if answer.status >= 400 and not answer.is_final]
    if passing:
        return Outcome(ReceiptStatus.TRANSIENT, passing[0].detail, passing[0].code)
    if not taken:
        first = next(iter(final.values()))
        return Outcome(ReceiptStatus.PERMANENT, first.detail, first.code)
    if final:
        said = "; ".join(f"{recipient}: {answer.detail}" for recipient, answer in final.items())
        return Outcome(ReceiptStatus.ACCEPTED, f"{len(taken)} of {len(answers)} recipients; {said}", Code.SOME_BOUNCED)
    return Outcome(ReceiptStatus.ACCEPTED, "accepted")


def _failed(error: MailFailedError) -> Outcome:
    """What a mail that was not taken as a whole amounts to."""
    if error.is_ambiguous:
        return Outcome(ReceiptStatus.AMBIGUOUS, error.answer.detail, error.code)
    is_final = error.answer.is_final or error.code in (Code.ADDRESS_REFUSED, Code.UNAUTHORISED)
    return Outcome(ReceiptStatus.PERMANENT if is_final else ReceiptStatus.TRANSIENT, error.answer.detail, error.code)
