"""A kind of operation as delivery sees it, and the remedies for its refused writes.

There is one table for all kinds (`REMEDIES`); a kind names only what is different for it. A
treatment that a table does not have is an error, never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from crm_pipeline.salesforce.errors import Treatment
from crm_pipeline.salesforce.outcomes import WrittenAs


class Remedy(Enum):
    """The way to deal with a refused write."""

    AGAIN = auto()
    """It goes again in this cycle."""
    AGAIN_ONCE = auto()
    """It goes again in this cycle, but only once; then `LATER`."""
    WITHOUT_FIELDS = auto()
    """The refused fields are left out and the rest goes; else `LATER` or `NEVER`."""
    LATER = auto()
    """One of its tries is gone; a later cycle tries again."""
    NEVER = auto()
    """None of its tries is left; it stays in the queue for people."""
    WAITS = auto()
    """It waits for people to mend the cause, which is told, and costs it no try."""
    RELOCATE = auto()
    """The successor of the record is sought once, and the write decided anew; then `NEVER`."""
    STAYS_GONE = auto()
    """The record is deleted, and it is not made again: it is done."""
    MADE_ANEW = auto()
    """People deleted the record: it is forgotten, and another pass creates it."""
    SEE_WHICH_IS_GONE = auto()
    """The record or one that it names is deleted: the org is asked for the record itself."""
    READ_ANEW = auto()
    """The org's records differ from what was expected: another pass reads them again."""
    USE_DUPLICATE = auto()
    """The record that a duplicate rule names stands for it; where none is named, `NEVER`."""


class LostCreation(Enum):
    """The way to tell whether a record was made although the answer never came."""

    MATCHED_AGAIN = auto()
    """It is looked for as if it had never been sent: by address, by its members, by its mark."""
    SOUGHT = auto()
    """It is sought by what it says, and is not another operation's already."""
    REPEATABLE = auto()
    """It is written by a key of ours, or its repetition does no harm: sent again."""


REMEDIES: Mapping[Treatment, Remedy] = {
    Treatment.RETRY: Remedy.LATER,
    Treatment.RETRY_SERIALLY: Remedy.AGAIN_ONCE,
    Treatment.TRY_LATER: Remedy.LATER,
    Treatment.RESEND: Remedy.AGAIN,
    Treatment.MEND_ORG: Remedy.WAITS,
    Treatment.GIVE_UP: Remedy.NEVER,
    Treatment.DEGRADE_FIELD: Remedy.WITHOUT_FIELDS,
    Treatment.ALREADY_THERE: Remedy.NEVER,
    Treatment.SWITCH_TARGET: Remedy.RELOCATE,
    Treatment.USE_DUPLICATE: Remedy.NEVER,
    Treatment.RESTART_QUERY: Remedy.NEVER,
}
"""For all kinds. What concerns a whole account or a login never reaches a single write."""


PASSING = frozenset((Remedy.AGAIN, Remedy.AGAIN_ONCE, Remedy.LATER))
"""A refusal that may pass: where it does not go again at once, it costs one try."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of operation.

    Attributes:
        name: as the ledger has it.
        lost_creation: what is done where the answer to a creation never came; there is no default,
            since sending again may make it twice.
        outcomes: as which a write is counted, by (sObject, action); without any, a write is counted
            as `written`, or by what it did.
        written: as which each write is counted, whatever it did; empty: there is no such word.
        unchanged: as which one is counted that the org has already.
        references: fields that name the record of another operation.
        identifying: fields that are never left out: without them a record would be taken for
            another one.
        remedies: what is done otherwise than for all kinds, by treatment and action.
        when_gone: what is done where an update finds its own record no more; None: as the
            table says.
        gives_up: whether what will never be taken as it is waits for people at once (`NEVER`);
            else it costs a try, as what may pass does: a rule of the org may change, or what the
            record says beside.
    """

    name: str
    lost_creation: LostCreation
    outcomes: Mapping[tuple[str, WrittenAs], str]
    written: str = ""
    unchanged: str = "unchanged"
    references: frozenset[str] = frozenset()
    identifying: frozenset[str] = frozenset()
    remedies: Mapping[tuple[Treatment, WrittenAs], Remedy] = field(default_factory=dict)
    when_gone: Remedy | None = None
    gives_up: bool = True

    def outcome(self, sobject: str, action: WrittenAs) -> str:
        """Returns the outcome as which a write is counted.

        Raises:
            KeyError: the kind writes nothing of the sort.
        """
        if self.outcomes:
            return self.outcomes[sobject, action]
        return self.written or action


def remedy(kind: Kind, treatment: Treatment, action: WrittenAs, *, of_reference: bool) -> Remedy:
    """Returns what is done about a refused write. Pure.

    Args:
        kind: of the operation.
        treatment: by the error table.
        action: what the write did.
        of_reference: whether the write names another record, which may be the one that is gone.

    Raises:
        KeyError: the treatment is none of a single write.
    """
    found = _remedy(kind, treatment, action, of_reference=of_reference)
    return Remedy.LATER if found is Remedy.NEVER and not kind.gives_up else found


def _remedy(kind: Kind, treatment: Treatment, action: WrittenAs, *, of_reference: bool) -> Remedy:
    if treatment is Treatment.MEND_ORG and action != "create":
        return Remedy.NEVER  # One record that is closed to our user; of others nothing is said.
    gone = treatment is Treatment.SWITCH_TARGET and action == "update" and not of_reference
    if gone and kind.when_gone is not None:
        return kind.when_gone
    return kind.remedies.get((treatment, action), REMEDIES[treatment])


PERSON = Kind(
    "person",
    LostCreation.MATCHED_AGAIN,
    {
        ("Lead", "create"): "leads_created",
        ("Lead", "update"): "leads_updated",
        ("Contact", "create"): "contacts_created",
        ("Contact", "update"): "contacts_updated",
    },
    unchanged="people_unchanged",
    identifying=frozenset(("Email",)),
    remedies={
        (Treatment.USE_DUPLICATE, "create"): Remedy.USE_DUPLICATE,
        # A new person has no record that could have a successor: another field names one.
        (Treatment.SWITCH_TARGET, "create"): Remedy.LATER,
    },
)

ACTIVITY = Kind(
    "activity",
    LostCreation.SOUGHT,
    {
        ("Event", "create"): "activities_created",
        ("Event", "update"): "activities_updated",
        ("Event", "delete"): "activities_deleted",
    },
    unchanged="activities_unchanged",
    references=frozenset(("WhoId",)),
    identifying=frozenset(("Subject", "ActivityDateTime")),
    remedies={(Treatment.SWITCH_TARGET, "delete"): Remedy.STAYS_GONE},
    when_gone=Remedy.STAYS_GONE,
)

MEMBER = Kind(
    "member",
    LostCreation.MATCHED_AGAIN,
    {
        ("CampaignMember", "create"): "members_created",
        ("CampaignMember", "update"): "members_updated",
        ("CampaignMember", "delete"): "members_deleted",
    },
    unchanged="members_unchanged",
    references=frozenset(("LeadId", "ContactId")),
    remedies={
        (Treatment.ALREADY_THERE, "create"): Remedy.READ_ANEW,
        (Treatment.ALREADY_THERE, "update"): Remedy.READ_ANEW,
        (Treatment.SWITCH_TARGET, "update"): Remedy.READ_ANEW,
        (Treatment.SWITCH_TARGET, "delete"): Remedy.STAYS_GONE,
    },
    when_gone=Remedy.READ_ANEW,
)

CAMPAIGN = Kind(
    "campaign",
    LostCreation.MATCHED_AGAIN,
    {("Campaign", "create"): "campaigns_created"},
    unchanged="campaigns_linked",
)

RECORD = Kind(
    "record",
    LostCreation.REPEATABLE,
    {},
    remedies={
        # The target of a reference may be gone: it is looked at again while one try is lost.
        (Treatment.SWITCH_TARGET, "create"): Remedy.LATER,
        (Treatment.SWITCH_TARGET, "update"): Remedy.SEE_WHICH_IS_GONE,
        (Treatment.SWITCH_TARGET, "delete"): Remedy.STAYS_GONE,
    },
    when_gone=Remedy.MADE_ANEW,
)
"""A record of any object; one that people delete is made anew."""

RECORD_THAT_STAYS_GONE = replace(RECORD, when_gone=Remedy.STAYS_GONE)
"""The same; one that people delete is left deleted."""

UNDO = Kind(
    "undo",
    LostCreation.REPEATABLE,
    {},
    written="taken_back",
    unchanged="left_as_they_are",
    remedies={
        (Treatment.SWITCH_TARGET, "update"): Remedy.STAYS_GONE,
        (Treatment.SWITCH_TARGET, "delete"): Remedy.STAYS_GONE,
    },
)
"""A record of whatever object that is to be as it was before a cycle; it makes none."""

OF_THE_ORG: Mapping[str, Kind] = {
    kind.name: kind for kind in (PERSON, ACTIVITY, CAMPAIGN, MEMBER, RECORD, UNDO)
}
"""The kinds that are written to the org, by name."""

WRITTEN = frozenset(("create", "update", "delete", "told", UNDO.written)).union(
    *(kind.outcomes.values() for kind in OF_THE_ORG.values())
)
"""The outcomes of writes that went through."""

CREATED = frozenset(("create",)).union(
    outcome
    for kind in OF_THE_ORG.values()
    for (_, action), outcome in kind.outcomes.items()
    if action == "create"
)
"""The outcomes of writes that made a record."""


def outcomes_of(name: str) -> frozenset[str]:
    """Returns the outcomes of a kind's writes; none if they are counted by what they did.

    Args:
        name: of any kind.
    """
    kind = OF_THE_ORG.get(name)
    if kind is None or not (kind.outcomes or kind.written):
        return frozenset()
    return frozenset((*kind.outcomes.values(), kind.unchanged)) | {kind.written} - {""}
