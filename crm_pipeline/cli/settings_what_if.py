"""What other settings would make of the rows that are there, said before they are stored."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from crm_pipeline.cli.account_again import has_read
from crm_pipeline.cli.guards import agree, if_the_warehouse_answers
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account

BY_ROWS = "of all rows there are, as a cycle would take them now and by the change"
_BY_OWN = "by a count of its own, which is asked about"
_ROUTE = "none: it says how records travel, and not which"
_KEEP = "none: it keeps what is overwritten, and changes nothing that is sent"
_FIND = (
    "none: who was found before stays found; it counts for people who are looked for from then on"
)
_ON_WRITE = "none: it counts for each write from then on; nothing is written for it"
_POLICY = "of people who are in the org, once `account send-again` is asked: that says it"

EFFECTS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "start_at",
            "lead_source",
            "person_id_field",
            "stage_of",
            "unknown_stage",
            "people_from_stages",
            "roles",
            "attended_at_least_minutes",
            "early_visits_count",
            "activities",
            "redaction",
            "consent_clears_opt_out",
            "on_demand_subject",
            "activity_subject",
            "activity_text",
            "cancelled_activity",
        ),
        BY_ROWS,
    ),
    **dict.fromkeys(("campaigns", "attribution", "inbound", "engagement"), _BY_OWN),
    "read_back_minutes": "of the calls a day that it costs",
    "unknown_email": "of people who were left out so far, and would be made",
    **dict.fromkeys(
        (
            "api_version",
            "route",
            "parallel_requests",
            "api_day_share",
            "api_calls_per_cycle",
            "storage_share",
            "retry_share",
            "limits",
            "activity_external_id_field",
        ),
        _ROUTE,
    ),
    **dict.fromkeys(
        ("match_first", "match_fields", "several_matches", "contact_account", "alias"), _FIND
    ),
    **dict.fromkeys(
        (
            "degrade_fields",
            "assignment_rules",
            "duplicate_rules",
            "missing_last_name",
            "missing_company",
        ),
        _ON_WRITE,
    ),
    **dict.fromkeys(("person_fields", "person_field_policies"), _POLICY),
    "keep_replaced_values": _KEEP,
    "vanished": "none: it counts for rows that vanish from then on; `account believe-vanished` "
    "says it of many",
}
"""What is said of each setting when it changes: of what, or why there is nothing to say."""

_KINDS = {"activity": "Event", "person": "Lead"}


class _Wanted(NamedTuple):
    """What is wanted of a row, or of a person: whether anything, and a digest of what."""

    is_sent: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class SettingsEffect:
    """What other settings would make of all rows: by kind, how many come, go and are otherwise.

    Attributes:
        known: activities and people of all rows.
        changes: by kind of operation and what becomes of it.
    """

    known: int
    changes: Mapping[tuple[str, str], int]

    @property
    def written(self) -> int:
        """How many records would be written: those that would come, or be otherwise."""
        return sum(number for (_, what), number in self.changes.items() if what != _GO)

    def __str__(self) -> str:
        from crm_pipeline.salesforce.budget import composite_calls

        said = [
            f"{number} {kind if number == 1 else plural} {what}"
            for kind, plural in (("person", "people"), ("activity", "activities"))
            for what in (_COME, _GO, _OTHERWISE)
            if (number := self.changes.get((kind, what)))
        ]
        writes: Counter[tuple[str, str]] = Counter()
        for (kind, what), number in self.changes.items():
            if what != _GO:
                writes[_KINDS[kind], "create" if what == _COME else "update"] += number
        calls = composite_calls(dict(writes)) if writes else 0
        return (
            f"Of all rows there are so far: {', '.join(said) or 'nothing would be otherwise'}; "
            f"about {counted(calls, 'API call')} to write them, once they are read again."
        )


_COME, _GO, _OTHERWISE = "would come", "would come no more", "would be otherwise"


def changes_rows(before: "Account", after: "Account") -> bool:
    """Returns whether any setting differs by which rows go."""
    of_rows = [name for name, of in EFFECTS.items() if of == BY_ROWS]
    return any(getattr(before.settings, n) != getattr(after.settings, n) for n in of_rows)


def tell_effect_of_settings(
    connection: "Connection", before: "Account", after: "Account", *, yes: bool
) -> None:
    """Says what changed settings would make of all rows; asks where that is much.

    Much is what a cycle would be held for. Nothing is said where no row was read yet, or the
    warehouse does not answer.

    Args:
        connection: of the caller's transaction.
        before: the account as it was.
        after: as it is to be.
        yes: whether it is agreed to already.
    """
    from crm_pipeline.ledger.left_out import people_left_out

    account_id = after.account_id
    if not has_read(connection, account_id):
        return
    if changes_rows(before, after):
        with if_the_warehouse_answers("what that changes"):
            effect = effect_of_settings(connection, before, after)
            most = after.settings.limits.most_changed(effect.known)
            if most is not None and sum(effect.changes.values()) > most:
                agree(str(effect), "Store it?", yes=yes)
            else:
                say_once(str(effect))
    was, becomes = before.settings.unknown_email, after.settings.unknown_email
    left_out = 0 if becomes in (was, "neither") else people_left_out(connection, account_id)
    if left_out:
        agree(
            f"People who were left out so far, and would become a {becomes} each: {left_out}.",
            "Make them?",
            yes=yes,
        )


def effect_of_settings(
    connection: "Connection", before: "Account", after: "Account"
) -> SettingsEffect:
    """Returns what becomes of all rows; reads them twice, and writes nothing that stays.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    wanted = [dict(_wanted(connection, account)) for account in (before, after)]
    changes: Counter[tuple[str, str]] = Counter()
    nothing = _Wanted(is_sent=False, content=b"")
    for key in wanted[0].keys() | wanted[1].keys():
        old, new = (each.get(key, nothing) for each in wanted)
        if old.is_sent != new.is_sent:
            changes[key[0], _COME if new.is_sent else _GO] += 1
        elif new.is_sent and old.content != new.content:
            changes[key[0], _OTHERWISE] += 1
    return SettingsEffect(len(wanted[0].keys() | wanted[1].keys()), changes)


def _wanted(
    connection: "Connection", account: "Account"
) -> "Iterator[tuple[tuple[str, object], _Wanted]]":
    """Yields what is wanted by each row, and of its person; of a person the newest row counts."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.webinars import rules
    from crm_pipeline.ledger.people import Who
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.account_rows import account_rows
    from crm_pipeline.sources.participations import EXTRACTS
    from crm_pipeline.sources.people import who
    from crm_pipeline.text import digest

    noted = connection.begin_nested()
    try:
        rows = account_rows(connection, engine("warehouse"), account, backfilled=[])
        zone = settings().warehouse_timezone
        chosen = rules.choices(account.settings, rows.overrides, rows.filter_strings, zone)
        numbers: dict[Who, int] = {}
        for extract in EXTRACTS:
            for chunk in rows.chunks(extract, None, chosen):
                refused = rules.refusals(chunk.rows, chosen)
                sent = [who(row) for n, row in enumerate(chunk.rows) if n not in refused]
                people = {each: numbers.setdefault(each, len(numbers)) for each in sent}
                names = {number: each for each, number in people.items()}
                for each in rules.intents(chunk.rows, chosen, people, refused):
                    is_sent = each.rejected_because is None
                    key = (
                        each.natural_key
                        if each.kind == "activity"
                        else names.get(each.person_key or 0)
                    )
                    content = digest(each.fields) if is_sent else b""
                    yield (each.kind, key), _Wanted(is_sent, content)
    finally:
        noted.rollback()
