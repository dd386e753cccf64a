"""Attribution in numbers: what a batch comes to, and what is shown of a cycle. Pure."""

from collections import Counter
from collections.abc import Sequence

from crm_pipeline.declaration import Numbers, Shown, Table
from crm_pipeline.flows.attribution import NAME
from crm_pipeline.ledger.tracked_leads import VANISHED, TrackedLead
from crm_pipeline.report import CycleReport

LEADS = "tracked_leads"
"""The topic of tracked leads, under which they are counted."""

_REJECTED = "rejected: "
"""Before the reason, where rejected leads are counted by reason."""

WITHOUT_ID = "no lead_id"


def numbers(
    rows: int, without_id: int, changed: Sequence[TrackedLead], new: int
) -> dict[tuple[str, str], int]:
    """Counts some rows: each is new, changed or known already, and the first two may be rejected.

    Args:
        rows: how many were read.
        without_id: those of them that have no id, and are rejected.
        changed: leads that say something new.
        new: those of them of which nothing was known.
    """
    rejected = Counter(e.rejected_because for e in changed if e.rejected_because is not None)
    rejected[WITHOUT_ID] += without_id
    return {
        (LEADS, "rows_read"): rows,
        (LEADS, "known_already"): rows - len(changed) - without_id,
        (LEADS, "leads_new"): new,
        (LEADS, "leads_changed"): len(changed) - new,
        (LEADS, "rejected"): rejected.total(),
        **{(LEADS, f"{_REJECTED}{reason}"): n for reason, n in rejected.items() if n},
    }


def vanished(leads: int) -> dict[tuple[str, str], int]:
    """Counts leads that count no more, as they are not in the warehouse."""
    return {(LEADS, "rejected"): leads, (LEADS, f"{_REJECTED}{VANISHED}"): leads}


def changed(counted: Numbers) -> int:
    """Returns how many of some rows said something new."""
    return counted[LEADS, "leads_new"] + counted[LEADS, "leads_changed"]


def tracked_leads(report: CycleReport) -> Shown:
    """The rejected leads by reason, and whether the account has attribution on."""
    counted = report.tally.by_topic.get(LEADS, {})
    reasons = {
        outcome.removeprefix(_REJECTED): number
        for outcome, number in counted.items()
        if outcome.startswith(_REJECTED)
    }
    return {
        "attribution": "on" if NAME in report.flows else "off",
        "rejected_by_reason": Table("reason", reasons),
    }
