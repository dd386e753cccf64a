"""Targets of alerts, and which alerts go to which: ALERTS_FILE, and the settings beside it."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from crm_pipeline.alerts.causes import CAUSES, SEVERITIES, Severity
from crm_pipeline.exceptions import PicklableError
from crm_pipeline.near_names import near
from crm_pipeline.settings import Settings, with_variables

LOG = "log"
"""The target that is always there, and is told all."""

_MOST_MINUTES = 10_080


class AlertsFileError(PicklableError):
    """ALERTS_FILE cannot be used; the message is one line, and quotes no value."""


def _filled(said: object) -> object:
    return with_variables(said) if isinstance(said, str) else said


_Secret = Annotated[SecretStr, BeforeValidator(_filled)]


class AlertTarget(BaseModel):
    """Where alerts go, and which.

    Attributes:
        url: an http(s) address that takes them as JSON, or one of a service that apprise knows.
        secret: signs what goes to an http(s) address.
        email: addresses, with commas between them, that get them by SMTP_URL.
        at_least: the least severity that it is told of.
        accounts: ids of accounts, or patterns such as `acme-*`; none: all, and the installation.
        digest: whether it gets the digest of the day; by default all do but pagers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: _Secret | None = None
    secret: _Secret | None = None
    email: str | None = None
    at_least: Severity = "warning"
    accounts: tuple[str, ...] | None = None
    digest: bool | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.url is None) == (self.email is None):
            raise ValueError("one of url and email is expected")
        if self.url is not None:
            try:
                parts = urlsplit(self.url.get_secret_value())
            except ValueError:
                raise ValueError("its url is no address") from None
            if not parts.scheme or not (parts.netloc or parts.path):
                raise ValueError("its url is no address; it looks like https://host/path")
        if self.secret is not None and (self.url is None or not self.is_of_the_web):
            raise ValueError("a secret signs what goes to an http or https address, and no other")
        if self.digest and self.is_pager:
            raise ValueError("a pager gets no digest: it would wake somebody each day")
        return self

    @property
    def is_of_the_web(self) -> bool:
        """Whether its address begins with http:// or https://."""
        return self.url is not None and self.url.get_secret_value().startswith(
            ("http://", "https://")
        )

    @property
    def is_pager(self) -> bool:
        """Whether it gets an event for each alert."""
        return self.url is not None and self.url.get_secret_value().startswith("pagerduty://")

    @property
    def wants_digest(self) -> bool:
        """Whether it gets the digest of the day."""
        return not self.is_pager and self.digest is not False

    def takes(self, account_id: str | None, severity: Severity) -> bool:
        """Returns whether it is told of alerts of an account, or (None) of the installation."""
        if SEVERITIES.index(severity) < SEVERITIES.index(self.at_least):
            return False
        if self.accounts is None:
            return True
        return account_id is not None and any(fnmatchcase(account_id, a) for a in self.accounts)


class CauseChoice(BaseModel):
    """What an installation chose for a cause; None: as the cause declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    severity: Severity | None = None
    at_least: int | None = Field(default=None, ge=1, le=1_000_000_000)
    after_minutes: int | None = Field(default=None, ge=0, le=_MOST_MINUTES)


class AlertChoices(BaseModel):
    """All of ALERTS_FILE, and the targets that settings name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    targets: dict[str, AlertTarget] = Field(default={})
    causes: dict[str, CauseChoice] = Field(default={})

    @field_validator("targets")
    @classmethod
    def _have_names_of_their_own(cls, targets: dict[str, AlertTarget]) -> dict[str, AlertTarget]:
        for name in targets:
            if name in (LOG, "ALERT_WEBHOOK_URL", "ALERT_EMAIL_TO"):
                raise ValueError(f"{name} is a target already; name it otherwise")
        return targets

    @field_validator("causes")
    @classmethod
    def _are_causes(cls, causes: dict[str, CauseChoice]) -> dict[str, CauseChoice]:
        for name, choice in causes.items():
            if name not in CAUSES:
                likely = near(name, CAUSES)
                meant = f"did you mean {' or '.join(likely)}?" if likely else f"{', '.join(CAUSES)}"
                raise ValueError(f"there is no cause {name!r}; {meant}")
            if choice.at_least is not None and CAUSES[name].at_least is None:
                raise ValueError(f"{name} counts nothing, so it has no at_least")
        return causes

    def severity(self, cause: str) -> Severity:
        """Returns the severity of alerts of a cause."""
        chosen = self.causes.get(cause)
        return (chosen and chosen.severity) or CAUSES[cause].severity

    def at_least(self) -> Mapping[str, int]:
        """Returns, by cause, from how many on it is one, where that was chosen."""
        return {n: c.at_least for n, c in self.causes.items() if c.at_least is not None}

    def after_minutes(self, cause: str) -> int:
        """Returns how long an alert of a cause has to last before people are told."""
        chosen = self.causes.get(cause)
        if chosen is None or chosen.after_minutes is None:
            return CAUSES[cause].after_minutes
        return chosen.after_minutes


def of_settings(chosen: Settings) -> AlertChoices:
    """Returns the targets that settings name: ALERT_WEBHOOK_URL and ALERT_EMAIL_TO."""
    targets = {}
    if chosen.alert_webhook_url:
        targets["ALERT_WEBHOOK_URL"] = AlertTarget.model_construct(
            url=chosen.alert_webhook_url, secret=chosen.alert_webhook_secret
        )
    if chosen.alert_email_to:
        targets["ALERT_EMAIL_TO"] = AlertTarget.model_construct(email=chosen.alert_email_to)
    return AlertChoices.model_construct(targets=targets)


def choices(chosen: Settings) -> AlertChoices:
    """Returns all targets, and what was chosen for causes; ALERTS_FILE is read anew.

    Raises:
        AlertsFileError: the file cannot be read, or something in it cannot work.
    """
    named = of_settings(chosen)
    if chosen.alerts_file is None:
        return named
    in_file = _read(chosen.alerts_file)
    if chosen.smtp_url is None and any(each.email for each in in_file.targets.values()):
        raise AlertsFileError("ALERTS_FILE names e-mail addresses, and SMTP_URL is not set")
    return AlertChoices.model_construct(
        targets=named.targets | in_file.targets, causes=in_file.causes
    )


def _read(file: Path) -> AlertChoices:
    try:
        said: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AlertsFileError(f"ALERTS_FILE {file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        at = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if at is None else f" (line {at + 1})"
        raise AlertsFileError(f"ALERTS_FILE {file} is no YAML{where}") from None
    try:
        return AlertChoices.model_validate(said if said is not None else {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise AlertsFileError(f"ALERTS_FILE {file}: {place or 'the file'}: {told}") from None
