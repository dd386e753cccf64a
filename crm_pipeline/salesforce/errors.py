"""Errors of an org, and the one table that says what is done about each.

Exceptions are for whole requests and whole accounts; what is wrong with single rows comes back
as data (`writes.RowError`) and is looked up in the same table. Messages carry codes and
statuses, never what Salesforce wrote, since that quotes the record's values.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.salesforce.hosts import LOGIN_HOSTS, host_of, local_address
from crm_pipeline.salesforce.limits import PAUSE_SECONDS


class SalesforceProblem(PicklableError):  # noqa: N818 - not all are errors of ours
    """Something about the org that the caller has to deal with; one line, no personal data."""


class AccountStopped(SalesforceProblem):
    """The account's configuration or credentials are wrong; only a person can mend that.

    Attributes:
        reason: what happened.
        action: what to do about it.
        code: Salesforce's error code, empty where there is none.
    """

    def __init__(self, reason: str, action: str, *, code: str = "") -> None:
        super().__init__(f"{reason}; {action}")
        self.reason = reason
        self.action = action
        self.code = code


class CredentialsRefused(AccountStopped):
    """The org refused the login: the same credentials are not to be tried again (lock-out)."""


class AccountPaused(SalesforceProblem):
    """A limit of the org is reached; nothing was written.

    Attributes:
        until: when it is worth trying again (UTC): a hint, since the limits roll.
        code: Salesforce's error code.
        action: what people can do; empty: nothing is to be done.
    """

    def __init__(
        self,
        reason: str,
        *,
        until: datetime | None = None,
        code: str = "",
        action: str = "",
    ) -> None:
        super().__init__("; ".join(filter(None, (reason, action))))
        self.until = until or datetime.now(UTC) + timedelta(seconds=PAUSE_SECONDS)
        self.code = code
        self.action = action


class OrgUnavailable(SalesforceProblem):
    """The org or the way to it is down; nothing was written by this request. Try later."""


class Withheld(SalesforceProblem):
    """A request names somebody who is not to be processed any more; it was not sent."""

    def __init__(self) -> None:
        super().__init__(
            "A request names somebody whose removal was asked for meanwhile; the next cycle goes on"
        )


class LostAnswer(SalesforceProblem):
    """A write was sent and its answer never came: it may have happened, or may still happen."""


class RequestRefused(SalesforceProblem):
    """Salesforce refused this one request, for a reason of the request's own.

    Attributes:
        status: HTTP status.
        code: Salesforce's error code.
        message: Salesforce's own words. May quote personal data: for the ledger, not for logs.
        fields: the fields that it names.
        body: the answer's parsed body, as it came.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        fields: Sequence[str] = (),
        body: object = None,
    ) -> None:
        super().__init__(f"Salesforce refused a request: {code} (HTTP {status})")
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.body = body


class Treatment(Enum):
    """The way to deal with an error; the value says it for people (docs/error-codes.md)."""

    RETRY = "Passing: tried again after a pause that grows, five times in all."
    RETRY_SERIALLY = (
        "A lock: these records only go again at once, one at a time and grouped by their parent; "
        "then as what passes."
    )
    LOG_IN_AGAIN = "The session is over: one new login, then as if nothing had happened."
    STOP_ACCOUNT = "The account is Failed, and nothing is sent, before a person changes something."
    PAUSE_ACCOUNT = "A limit: the account is Paused until it is worth trying again."
    TRY_LATER = "May pass, or a person may mend it: five tries in all, over some cycles."
    MEND_ORG = (
        "An incident: no new record of the kind goes before people mend the org or the mapping; "
        "that costs no try, and the records follow by themselves."
    )
    GIVE_UP = "The record will never be taken as it is: it stays in the queue for people."
    DEGRADE_FIELD = (
        "A value or field is refused: the record goes without it, with a note (`degrade_fields`)."
    )
    SWITCH_TARGET = (
        "The record was converted, merged or deleted: its successor is sought, or the person "
        "matched again."
    )
    USE_DUPLICATE = (
        "A duplicate rule names a record that is there: that one is used, and where none is named "
        "the record stays in the queue for people."
    )
    ALREADY_THERE = "The record exists: it is read, and updated instead."
    RESTART_QUERY = "The query's cursor is gone: it is read from the start."
    RESEND = "Rolled back with others, at no fault of its own: it goes again without the culprit."


DEFAULT_TREATMENT = Treatment.TRY_LATER
"""For codes that the table does not know: they are not hopeless for sure."""

ERROR_TABLE: Mapping[str, Treatment] = MappingProxyType(
    {
        # Sessions and logins. Bad credentials are never tried twice: that locks the user out.
        "INVALID_SESSION_ID": Treatment.LOG_IN_AGAIN,
        "InvalidSessionId": Treatment.LOG_IN_AGAIN,
        "INVALID_AUTH_HEADER": Treatment.STOP_ACCOUNT,
        "INVALID_LOGIN": Treatment.STOP_ACCOUNT,
        "LOGIN_MUST_USE_SECURITY_TOKEN": Treatment.STOP_ACCOUNT,
        "PASSWORD_LOCKOUT": Treatment.STOP_ACCOUNT,
        "LOGIN_DURING_RESTRICTED_DOMAIN": Treatment.STOP_ACCOUNT,
        "LOGIN_DURING_RESTRICTED_TIME": Treatment.STOP_ACCOUNT,
        "ORG_NOT_OWNED_BY_INSTANCE": Treatment.STOP_ACCOUNT,
        "INVALID_OPERATION": Treatment.STOP_ACCOUNT,
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": Treatment.STOP_ACCOUNT,
        "LOGIN_RATE_EXCEEDED": Treatment.PAUSE_ACCOUNT,
        "invalid_grant": Treatment.STOP_ACCOUNT,
        "invalid_client": Treatment.STOP_ACCOUNT,
        "invalid_client_id": Treatment.STOP_ACCOUNT,
        "invalid_client_credentials": Treatment.STOP_ACCOUNT,
        "invalid_app_access": Treatment.STOP_ACCOUNT,
        "inactive_user": Treatment.STOP_ACCOUNT,
        "inactive_org": Treatment.STOP_ACCOUNT,
        "unauthorized_client": Treatment.STOP_ACCOUNT,
        "unsupported_grant_type": Treatment.STOP_ACCOUNT,
        "rate_limit_exceeded": Treatment.PAUSE_ACCOUNT,
        "unknown_error": Treatment.RETRY,
        # The org as a whole.
        "API_DISABLED_FOR_ORG": Treatment.STOP_ACCOUNT,
        "API_CURRENTLY_DISABLED": Treatment.STOP_ACCOUNT,
        "ORG_LOCKED": Treatment.STOP_ACCOUNT,
        "TRIAL_EXPIRED": Treatment.STOP_ACCOUNT,
        "LICENSE_LIMIT_EXCEEDED": Treatment.STOP_ACCOUNT,
        "STORAGE_LIMIT_EXCEEDED": Treatment.STOP_ACCOUNT,
        "UNSUPPORTED_API_VERSION": Treatment.STOP_ACCOUNT,
        "InvalidVersion": Treatment.STOP_ACCOUNT,
        "GONE": Treatment.STOP_ACCOUNT,
        "TXN_SECURITY_NO_ACCESS": Treatment.STOP_ACCOUNT,
        "TXN_SECURITY_RUNTIME_ERROR": Treatment.STOP_ACCOUNT,
        "TXN_SECURITY_APEX_ERROR": Treatment.STOP_ACCOUNT,
        "REQUEST_LIMIT_EXCEEDED": Treatment.PAUSE_ACCOUNT,
        "ExceededQuota": Treatment.PAUSE_ACCOUNT,
        # Passing weather.
        "SERVER_UNAVAILABLE": Treatment.RETRY,
        "UNKNOWN_EXCEPTION": Treatment.RETRY,
        "QUERY_TIMEOUT": Treatment.RETRY,
        "REQUEST_RUNNING_TOO_LONG": Treatment.RETRY,
        "TXN_SECURITY_METERING_ERROR": Treatment.RETRY,
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": Treatment.RETRY,
        "UNABLE_TO_LOCK_ROW": Treatment.RETRY_SERIALLY,
        "TooManyLockFailure": Treatment.RETRY_SERIALLY,
        "INVALID_QUERY_LOCATOR": Treatment.RESTART_QUERY,
        # Collateral of another row.
        "PROCESSING_HALTED": Treatment.RESEND,
        "ALL_OR_NONE_OPERATION_ROLLED_BACK": Treatment.RESEND,
        # The record is there already, in one way or another.
        "DUPLICATES_DETECTED": Treatment.USE_DUPLICATE,
        "DUPLICATE_VALUE": Treatment.ALREADY_THERE,
        # The record is there no more, or elsewhere.
        "CANNOT_UPDATE_CONVERTED_LEAD": Treatment.SWITCH_TARGET,
        "ENTITY_IS_DELETED": Treatment.SWITCH_TARGET,
        "INVALID_CROSS_REFERENCE_KEY": Treatment.SWITCH_TARGET,
        # One value, or one field.
        "STRING_TOO_LONG": Treatment.DEGRADE_FIELD,
        "INVALID_EMAIL_ADDRESS": Treatment.DEGRADE_FIELD,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Treatment.DEGRADE_FIELD,
        "FIELD_INTEGRITY_EXCEPTION": Treatment.DEGRADE_FIELD,
        "NUMBER_OUTSIDE_VALID_RANGE": Treatment.DEGRADE_FIELD,
        "INVALID_TYPE_ON_FIELD_IN_RECORD": Treatment.DEGRADE_FIELD,
        "INVALID_FIELD": Treatment.DEGRADE_FIELD,
        "INVALID_FIELD_FOR_INSERT_UPDATE": Treatment.DEGRADE_FIELD,
        # A right, or a field that nothing is created without and that nobody fills.
        "REQUIRED_FIELD_MISSING": Treatment.MEND_ORG,
        "INSUFFICIENT_ACCESS_OR_READONLY": Treatment.MEND_ORG,
        # The record itself: people look into it.
        "DUPLICATE_EXTERNAL_ID": Treatment.GIVE_UP,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": Treatment.GIVE_UP,
        "MALFORMED_ID": Treatment.GIVE_UP,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Treatment.GIVE_UP,
        "INACTIVE_OWNER_OR_USER": Treatment.GIVE_UP,
        "NOT_FOUND": Treatment.GIVE_UP,
        # An approval that ends, or automation of the org's, unless its message says more.
        "ENTITY_IS_LOCKED": Treatment.TRY_LATER,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Treatment.TRY_LATER,
        "CANNOT_EXECUTE_FLOW_TRIGGER": Treatment.TRY_LATER,
        "APEX_ERROR": Treatment.TRY_LATER,
        # The mapping names what the org does not have or does not show to our user.
        "INVALID_TYPE": Treatment.STOP_ACCOUNT,
        "MALFORMED_QUERY": Treatment.STOP_ACCOUNT,
        "INVALID_QUERY_FILTER_OPERATOR": Treatment.STOP_ACCOUNT,
        # Our own bugs: better one stopped account than ten thousand refused calls.
        "JSON_PARSER_ERROR": Treatment.STOP_ACCOUNT,
        "METHOD_NOT_ALLOWED": Treatment.STOP_ACCOUNT,
        "INVALID_BATCH_SIZE": Treatment.STOP_ACCOUNT,
    }
)

_WRAPPERS = frozenset(
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR")
)
"""A trigger or flow of the org failed; the message quotes the error that it met."""

_COUNT_THROUGH_WRAPPERS = frozenset(
    (
        Treatment.RETRY,
        Treatment.RETRY_SERIALLY,
        Treatment.RESEND,
        Treatment.GIVE_UP,
        Treatment.TRY_LATER,
    )
)
"""The others are about the request or its record, where a quoted one is about another."""

NOTHING_BEGUN = frozenset(
    ("REQUEST_LIMIT_EXCEEDED", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE")
)
"""Passing errors that Salesforce raises before it has begun; of the others it may have."""

BY_HTTP_STATUS: Mapping[int, Treatment] = MappingProxyType(
    {
        401: Treatment.LOG_IN_AGAIN,
        404: Treatment.RETRY,
        406: Treatment.RETRY,
        408: Treatment.RETRY,
        410: Treatment.STOP_ACCOUNT,
        420: Treatment.RETRY,
        429: Treatment.RETRY,
    }
)

# A new login does not help these: the session is fine, but not meant for this (jsforce).
_SESSION_OF_THE_WRONG_KIND = ("not valid for use with the REST API", "not attached to Agent")


def decide(code: str, message: str, http_status: int) -> Treatment:
    """Returns what is done about an error of a request, a subrequest or a row.

    Args:
        code: Salesforce's error code; empty where the answer carried none (HTML from a proxy).
        message: Salesforce's own words; they tell a few codes' two meanings apart.
        http_status: of the request, or of the subrequest; for a row of a collection or a bulk
            job, which has none, 400.
    """
    code = code.removeprefix("sf:")
    known = _told_apart(code, message) or ERROR_TABLE.get(code)
    if known is not None:
        return known
    if http_status >= 500:
        return Treatment.RETRY
    return DEFAULT_TREATMENT if code else BY_HTTP_STATUS.get(http_status, DEFAULT_TREATMENT)


def _told_apart(code: str, message: str) -> Treatment | None:
    """The treatment where one code has two meanings, and the message says the rarer one."""
    if code in _WRAPPERS:
        return _wrapped(message)
    match code:
        case "REQUEST_LIMIT_EXCEEDED" if "Concurrent" in message:
            return Treatment.RETRY
        case "INVALID_SESSION_ID" if any(text in message for text in _SESSION_OF_THE_WRONG_KIND):
            return Treatment.STOP_ACCOUNT
        case "INVALID_FIELD" if "on entity" in message:
            return Treatment.STOP_ACCOUNT  # a query; a write says "on sobject of type"
        case "invalid_grant" if "rate exceeded" in message:
            return Treatment.PAUSE_ACCOUNT
    return None


RAISE_VERSION = (
    "Salesforce has retired this API version: raise the account's api_version, as in "
    "`crm-pipeline account set ACCOUNT api_version=64.0`"
)
RETIRED_VERSION = frozenset(("UNSUPPORTED_API_VERSION", "InvalidVersion", "GONE"))
"""Codes of an org for a version of the API that it no longer speaks."""


def _wrapped(message: str) -> Treatment | None:
    """The treatment of the innermost known error that a trigger's or flow's message quotes.

    Of passing ones it is one that costs the record a try: their request was worked on.
    """
    for code in reversed(_CODES.findall(message)):
        treatment = ERROR_TABLE.get(code)
        if treatment in _COUNT_THROUGH_WRAPPERS and code not in _WRAPPERS:
            passing = treatment in {Treatment.RETRY, Treatment.RESEND}
            return Treatment.RETRY_SERIALLY if passing else treatment
    return None


def field_named(message: str) -> tuple[str, str] | None:
    """The sObject and the field that an INVALID_FIELD names in its words alone, or None."""
    found = _NO_SUCH_COLUMN.search(message)
    return (found[2], found[1]) if found else None


_ACCOUNT = re.compile(r"\bACCOUNT\b")
_CODES = re.compile(r"\b[A-Z][A-Z]+(?:_[A-Z]+)+\b", re.ASCII)
_NO_SUCH_COLUMN = re.compile(
    r"No such column '([A-Za-z]\w{0,79})' on (?:entity|sobject of type) '?([A-Za-z]\w{0,79})",
    re.ASCII,
)

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "INVALID_LOGIN": "set the account's credentials again, and unlock the user if it is locked",
        "LOGIN_MUST_USE_SECURITY_TOKEN": "add the user's security token to the credentials, "
        "or add this machine's address to the org's trusted ones",
        "PASSWORD_LOCKOUT": "unlock the user in the org, then set the credentials again",
        "LOGIN_DURING_RESTRICTED_DOMAIN": "allow this machine's address in the user's profile",
        "LOGIN_DURING_RESTRICTED_TIME": "allow logins at all hours in the user's profile",
        "ORG_NOT_OWNED_BY_INSTANCE": "correct the account's login URL",
        "InvalidVersion": RAISE_VERSION,
        "INVALID_OPERATION": "SOAP login may be off in this org: "
        "use OAuth client credentials or JWT bearer instead",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "set a new password for the user",
        "invalid_grant": "set the account's credentials again, and check in the org that the "
        "user is active and approved for the app",
        "invalid_client": "set the client id and the client secret again",
        "invalid_client_id": "set the client id again, and check that the app is in this org",
        "unsupported_grant_type": "switch the OAuth flow on in the org's app",
        "API_DISABLED_FOR_ORG": "give the user the permission API Enabled, or the org the API",
        "API_CURRENTLY_DISABLED": "switch the API on in the org",
        "STORAGE_LIMIT_EXCEEDED": "free or buy data storage in the org",
        "LICENSE_LIMIT_EXCEEDED": "free or buy licences in the org",
        "ORG_LOCKED": "have the org unlocked",
        "TRIAL_EXPIRED": "the org's trial is over: have it extended",
        "UNSUPPORTED_API_VERSION": RAISE_VERSION,
        "GONE": RAISE_VERSION,
        "INVALID_TYPE": "check the account's mapping, and the user's access to the object",
        "INVALID_FIELD": "check the account's mapping, and the user's access to the field",
        "TXN_SECURITY_METERING_ERROR": "give the user the permission Exempt from "
        "Transaction Security",
        "TXN_SECURITY_NO_ACCESS": "exempt the user from the org's transaction security policy",
        "INVALID_SESSION_ID": "give the user and the app access to the REST API",
        "REQUIRED_FIELD_MISSING": "give the user Read and Edit on it in a permission set, have the "
        "org no longer require it, or fill it: `crm-pipeline account mapping set ACCOUNT`, then "
        "`crm-pipeline account send-again ACCOUNT`",
        "INSUFFICIENT_ACCESS_OR_READONLY": "give the user Create on the object in a permission set",
    }
)


def named(told: str, account_id: str) -> str:
    """Puts the account into the commands of a text: an error is made where none is known."""
    return _ACCOUNT.sub(account_id, told)


def advice(code: str) -> str:
    """Returns what people can do about an error; empty where that is not known."""
    return _ADVICE.get(code, "")


def stopped(code: str, http_status: int, message: str = "") -> AccountStopped:
    """The exception for an error that the table treats as STOP_ACCOUNT.

    Of the message only the name of a field is taken, as it may quote personal data.
    """
    code = code or ("GONE" if http_status == 410 else "")
    named = field_named(message)
    return AccountStopped(
        f"Salesforce refuses this account: {code or f'HTTP {http_status}'}"
        + (f" (it shows no field {'.'.join(named)})" if named else ""),
        _ADVICE.get(code, "look the code up in Salesforce's documentation, or ask for support"),
        code=code,
    )


def moved(location: str, http_status: int) -> SalesforceProblem:
    """The problem for a redirect: the org has another address, or somebody stands before it.

    Args:
        location: the header of this name; only an address of Salesforce's is believed.
        http_status: of the redirect.
    """
    address = location.partition("/services/")[0].rstrip("/")
    host = host_of(address)
    new = local_address(address)
    if host and host not in LOGIN_HOSTS and address.count("/") == 2:
        new = f"https://{host}"
    if new is None or http_status not in {301, 302, 307, 308}:
        return OrgUnavailable(f"The org redirects to somewhere else (HTTP {http_status})")
    return AccountStopped(
        f"The org has moved to {new}",
        f"set that: `crm-pipeline account set ACCOUNT --login-url {new}`",
    )


def paused(code: str, http_status: int) -> AccountPaused:
    """The exception for an error that the table treats as PAUSE_ACCOUNT."""
    return AccountPaused(
        f"A limit of the org is reached: {code or f'HTTP {http_status}'}", code=code
    )


def problem_of(code: str, message: str, http_status: int) -> SalesforceProblem | None:
    """Returns the problem that makes it pointless to send more, or None if there is none.

    In each of these cases nothing was written, at no fault of the record's.
    """
    match decide(code, message, http_status):
        case Treatment.STOP_ACCOUNT:
            return stopped(code, http_status)
        case Treatment.PAUSE_ACCOUNT:
            return paused(code, http_status)
        case Treatment.LOG_IN_AGAIN:
            return OrgUnavailable("The session ended in the middle of a request")
        case Treatment.RETRY if code in NOTHING_BEGUN:
            return OrgUnavailable(f"The org takes no writes now: {code}")
    return None
