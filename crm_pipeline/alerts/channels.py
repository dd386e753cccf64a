"""How alerts go out: to the log, as JSON by HTTP, by e-mail, and to what apprise knows."""

import hashlib
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

import orjson

from crm_pipeline.alerts.causes import SEVERITIES, Severity
from crm_pipeline.alerts.targets import AlertTarget
from crm_pipeline.settings import settings
from crm_pipeline.source_platform.signing import signed

if TYPE_CHECKING:
    import apprise

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10

MOST_LINES = 50
"""Alerts that a mail or a chat message names; of those beyond it says how many there are."""

MOST_PAGES = 20
"""Events that a pager gets at once, one for each alert; the others go with the next tick."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as it goes out, or its end. The message is one line, without personal data.

    Attributes:
        account_id: None where it is about the installation.
        cause: as `crm_pipeline.alerts.causes` names it.
        message: for people.
        raised_at: since when it is as the message says, ISO 8601.
        over: whether it is the end of the alert.
        severity: of the alert.
        key: the same for all notices of one alert, and of no other.
        version: counts what an alert has been; a notice that comes twice has the same.
        began_at: when the alert began, ISO 8601.
        remedy: what to do, mostly a command.
        console: the address of the account in the console; None without CONSOLE_URL.
        run: that of the account's last run in Dagster's UI; None without DAGSTER_UI_URL, and where
            its last cycle was none of Dagster's.
    """

    account_id: str | None
    cause: str
    message: str
    raised_at: str
    over: bool = False
    severity: Severity = "warning"
    key: str = ""
    version: int = 1
    began_at: str = ""
    remedy: str = ""
    console: str | None = None
    run: str | None = None

    @property
    def links(self) -> list[str]:
        """Where people see more of it, the place first where they can do something."""
        return [address for address in (self.console, self.run) if address]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of telling a target.

    Attributes:
        notices: how many of the notices it has taken, from the first on.
        problem: why it has not taken the next one, without its address; None: nothing is amiss.
    """

    notices: int
    problem: str | None = None


class _NotTakenError(ValueError):
    """A target has not taken what it was sent; says why, without its address."""


def write_log(notices: Sequence[Notice]) -> Taken:
    """Tells the log, which takes everything."""
    for notice in notices:
        log.warning("ALERT [%s] %s", notice.severity, notice.message)
    return Taken(len(notices))


def post(target: AlertTarget, notices: Sequence[Notice]) -> Taken:
    """Tells a target, by one message or, a pager, by an event for each alert.

    Whatever the target does is no error but an answer.
    """
    if target.is_pager:
        for taken, notice in enumerate(notices[:MOST_PAGES]):
            if problem := _problem(lambda notice=notice: _page(target, notice)):  # type: ignore[misc]
                return Taken(taken, problem)
        return Taken(min(len(notices), MOST_PAGES))
    problem = _problem(lambda: _send(target, _subject(notices), _text(notices), notices))
    return Taken(0, problem) if problem else Taken(len(notices))


def send_text(target: AlertTarget, subject: str, text: str) -> str | None:
    """Sends a target something that is no alert; returns why it has not taken it, or None."""
    return _problem(lambda: _send(target, subject, text, ()))


def _problem(send: Callable[[], None]) -> str | None:
    try:
        send()
    except _NotTakenError as error:
        return str(error)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # The error's text may quote the address with its password or token.
        return f"it cannot be reached ({type(error).__name__})"
    return None


def _send(target: AlertTarget, subject: str, text: str, notices: Sequence[Notice]) -> None:
    if target.email is not None:
        _mail(target.email, subject, text)
    elif (service := _service(target, {"overflow": "split"})) is not None:
        from apprise import NotifyFormat

        told = service.notify(
            body=text, title=subject, notify_type=_type_of(notices), body_format=NotifyFormat.TEXT
        )
        if not told:
            raise _NotTakenError("it cannot be reached, or refuses what it is sent")
    else:
        _post(target, text, notices)


def _page(target: AlertTarget, notice: Notice) -> None:
    """An event that opens, changes or closes the incident of the alert's key."""
    chosen = {"action": "map", "dedup": notice.key, "severity": notice.severity}
    if notice.links:
        chosen["click"] = notice.links[0]
    service = _service(target, chosen | {"overflow": "truncate"})
    if service is None or not service.notify(body=notice.message, notify_type=_type_of([notice])):
        raise _NotTakenError("it cannot be reached, or refuses what it is sent")


def _service(target: AlertTarget, chosen: dict[str, str]) -> "apprise.NotifyBase | None":
    """What apprise makes of an address; None: it is that of a webhook, which gets JSON.

    Args:
        target: with an address.
        chosen: options of apprise's, where the address does not choose them.
    """
    address = target.url.get_secret_value() if target.url else ""
    if target.secret is not None:
        return None
    import apprise

    # It would name addresses with their tokens.
    apprise.logger.disabled = True
    given = parse_qs(urlsplit(address).query)
    options = urlencode({name: value for name, value in chosen.items() if name not in given})
    whole = f"{address}{'&' if '?' in address else '?'}{options}"
    service = apprise.Apprise.instantiate(whole, suppress_exceptions=True)
    if service is None and not target.is_of_the_web:
        raise _NotTakenError("its url is none that apprise knows; see https://appriseit.com")
    return service


def _type_of(notices: Sequence[Notice]) -> "apprise.NotifyType":
    from apprise import NotifyType

    if notices and all(notice.over for notice in notices):
        return NotifyType.SUCCESS
    gravest = max((SEVERITIES.index(n.severity) for n in notices if not n.over), default=0)
    return (NotifyType.INFO, NotifyType.WARNING, NotifyType.FAILURE, NotifyType.FAILURE)[gravest]


def _post(target: AlertTarget, text: str, notices: Sequence[Notice]) -> None:
    import requests

    # It logs paths, which have tokens in them, when everything is logged.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    body = orjson.dumps({"text": text, "alerts": [asdict(notice) for notice in notices]})
    headers = {"Content-Type": "application/json"}
    if target.secret is not None:
        secret = target.secret.get_secret_value()
        headers |= signed(secret, _message_id(text, notices), int(time.time()), body)
    answer = requests.post(
        target.url.get_secret_value() if target.url else "",
        data=body,
        headers=headers,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )
    if not 200 <= answer.status_code < 300:
        raise _NotTakenError(f"it answers {answer.status_code}")


def _message_id(text: str, notices: Sequence[Notice]) -> str:
    """The same whenever the same is sent again."""
    said = [f"{notice.key} {notice.version} {notice.over}" for notice in notices]
    said = said or text.splitlines()[:1]
    return f"alerts_{hashlib.sha256(chr(10).join(said).encode()).hexdigest()[:32]}"


def _mail(to: str, subject: str, text: str) -> None:
    chosen = settings()
    if chosen.smtp_url is None:
        raise _NotTakenError("SMTP_URL is not set")
    server = urlsplit(chosen.smtp_url.get_secret_value())
    message = EmailMessage()
    message["To"] = to
    message["From"] = to.split(",", maxsplit=1)[0].strip()
    message["Subject"] = subject
    message.set_content(text)
    with _mail_server(server) as smtp:
        if server.scheme == "smtp":
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
            elif server.username:
                raise _NotTakenError(
                    "the server of SMTP_URL has no TLS, and is sent no password without"
                )
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


def _subject(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return f"CRM pipeline: {notices[0].account_id or 'installation'}, {notices[0].cause}"
    return f"CRM pipeline: {len(notices)} alerts"


def _text(notices: Sequence[Notice]) -> str:
    lines = [
        line
        for notice in notices[:MOST_LINES]
        for line in (f"[{notice.severity}] {notice.message}", *notice.links)
    ]
    if len(notices) > MOST_LINES:
        lines.append(f"{len(notices) - MOST_LINES} more; `crm-pipeline alerts list` has them all.")
    return "\n".join(lines)
