"""Channels of alerts: the log always; a webhook and an e-mail address where they are set."""

import logging
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from crm_pipeline.settings import settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as it goes out, or its end. The message is one line, without personal data."""

    account_id: str
    cause: str
    message: str
    raised_at: str
    over: bool = False


def send(notices: Sequence[Notice]) -> bool:
    """Sends notices to every channel, all together.

    Returns:
        Whether somebody can see them: with no channel set, the log is enough; otherwise one of
        the channels has to have taken them. One that has not is named in the log.
    """
    for notice in notices:
        log.warning("ALERT %s", notice.message)
    taken = [_took(name, post, notices) for name, post in _channels()]
    return not taken or any(taken)


def _channels() -> list[tuple[str, Callable[[Sequence[Notice]], None]]]:
    channels: list[tuple[str, Callable[[Sequence[Notice]], None]]] = []
    if settings().alert_webhook_url:
        channels.append(("ALERT_WEBHOOK_URL", _post))
    if settings().alert_email_to and settings().smtp_url:
        channels.append(("SMTP_URL", _mail))
    return channels


def _took(name: str, post: Callable[[Sequence[Notice]], None], notices: Sequence[Notice]) -> bool:
    try:
        post(notices)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # The error's text may quote the address with its password or token.
        log.error("Alerts could not be sent; check %s (%s)", name, type(error).__name__)  # noqa: TRY400
        return False
    return True


def _post(notices: Sequence[Notice]) -> None:
    import requests

    url = settings().alert_webhook_url
    if url is None:
        return
    body = {"text": _text(notices), "alerts": [asdict(notice) for notice in notices]}
    answer = requests.post(url.get_secret_value(), json=body, timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()


def _mail(notices: Sequence[Notice]) -> None:
    chosen = settings()
    if chosen.smtp_url is None or chosen.alert_email_to is None:
        return
    server = urlsplit(chosen.smtp_url.get_secret_value())
    message = EmailMessage()
    message["To"] = chosen.alert_email_to
    message["From"] = chosen.alert_email_to.split(",")[0].strip()
    message["Subject"] = f"CRM pipeline: {len(notices)} alerts"
    message.set_content(_text(notices))
    with _mail_server(server) as smtp:
        if server.scheme == "smtp":
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
            elif server.username:
                raise ValueError("a password is not sent to a server without TLS")
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)


def _mail_server(address: SplitResult) -> smtplib.SMTP:
    """The server of an `smtp://` address, or of an `smtps://` one: TLS from the first byte."""
    host = address.hostname or ""
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(
            host, address.port or 465, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT_SECONDS)


def _text(notices: Sequence[Notice]) -> str:
    return "\n".join(notice.message for notice in notices)
