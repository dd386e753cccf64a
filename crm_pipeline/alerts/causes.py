"""What people are alerted to: each cause is declared once, with its severity and its remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["info", "warning", "error", "critical"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the gravest."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that people are told of when it begins and when it ends.

    Attributes:
        name: as in the column `crm.alert.cause`, in notices and in ALERTS_FILE.
        severity: of its alerts, unless ALERTS_FILE says another one.
        begins: when it begins, for the documents.
        ends: when it is over, for the documents.
        remedy: what to do; `{account_id}` stands for the account.
        at_least: of a cause that counts something: from how many on it is one. None: it does not.
        after_minutes: how long it has to last before people are told.
        of_installation: it is about the installation, and about no account.
    """

    name: str
    severity: Severity
    begins: str
    ends: str
    remedy: str
    at_least: int | None = None
    after_minutes: int = 0
    of_installation: bool = False


REFUSED = Cause(
    "refused credentials",
    "critical",
    "Salesforce refuses the login of an account",
    "other credentials are set",
    "crm-pipeline account credentials {account_id}",
)
OVERDUE = Cause(
    "overdue removals",
    "critical",
    "people who are to be removed are not yet, `FRESHNESS_MINUTES` after it was asked",
    "none waits that long any more",
    "crm-pipeline state {account_id}",
)
ERASED_FOUND = Cause(
    "erased people found",
    "critical",
    "the nightly scan finds somebody who was erased",
    "a scan finds nobody",
    "crm-pipeline erasure scan --erased",
)
HELD = Cause(
    "held",
    "error",
    "a cycle would do far more than usual, and nothing is sent",
    "a person has decided, or nothing of it waits any more",
    "crm-pipeline approve {account_id}",
)
LATE = Cause(
    "late",
    "error",
    "a record is not in Salesforce `FRESHNESS_MINUTES` after it was shipped",
    "none waits that long any more",
    "crm-pipeline state {account_id}",
)
FAILING = Cause(
    "failing cycles",
    "error",
    "the last cycles of an account failed, one after the other",
    "a cycle goes well, or is paused or held",
    "crm-pipeline state {account_id}",
    at_least=3,
)
EXHAUSTED = Cause(
    "exhausted retries",
    "warning",
    "operations failed in every try",
    "they are requeued or dropped, or the source says otherwise",
    "crm-pipeline operations list {account_id}",
    at_least=1,
)
INCIDENT = Cause(
    "incident",
    "warning",
    "one cause holds up records of an account, such as a right that is missing",
    "nothing is held up by it any more",
    "crm-pipeline state {account_id}",
)
UNREADABLE = Cause(
    "unreadable sources",
    "error",
    "a source cannot be asked for what is new; until it can, nobody knows who is late",
    "all sources answer",
    "mend the warehouse or the statement that is named",
    after_minutes=5,
    of_installation=True,
)
UNREACHABLE = Cause(
    "unreachable targets",
    "error",
    "a target of alerts takes none",
    "it takes one",
    "crm-pipeline alerts test",
    after_minutes=10,
    of_installation=True,
)
BAD_FILE = Cause(
    "alerts file",
    "error",
    "ALERTS_FILE cannot be read; until it can, only the log, ALERT_WEBHOOK_URL and ALERT_EMAIL_TO "
    "are told",
    "it can be read",
    "crm-pipeline alerts test",
    of_installation=True,
)
PAUSED = Cause(
    "alerts paused",
    "warning",
    "somebody pauses the alerts of an account",
    "the pause is over; what is still so is told then",
    "crm-pipeline alerts resume {account_id}",
)

CAUSES: Mapping[str, Cause] = {
    cause.name: cause
    for cause in (
        REFUSED,
        OVERDUE,
        ERASED_FOUND,
        HELD,
        LATE,
        FAILING,
        UNREADABLE,
        UNREACHABLE,
        BAD_FILE,
        EXHAUSTED,
        INCIDENT,
        PAUSED,
    )
}
"""By name, the gravest first."""
