"""`crm-pipeline account mapping what-if`: what another mapping would change, before it is made."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_pipeline.cli.account_again import has_read
from crm_pipeline.cli.databases import rehearsal, transaction
from crm_pipeline.cli.guards import agree, if_the_warehouse_answers
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.sources.mapping import FieldMap
    from crm_pipeline.sources.participations import Participation

Values = dict[Hashable, tuple[Any, Any]]
"""Of each record the value so far, and with the other mapping; None: it gets none."""

_EXAMPLES = 3
_EXAMPLE_CHARS = 30


@dataclass(frozen=True, slots=True)
class Effect:
    """What another mapping of a field would make of all records.

    Attributes:
        field: as in `Lead.Region__c`.
        values: of each record.
    """

    field: str
    values: Values

    @property
    def changes(self) -> Counter[str]:
        """How many records come to what."""
        return Counter(change(*each) for each in self.values.values())

    @property
    def written(self) -> int:
        """How many records would get another value."""
        return sum(self.changes[what] for what in (FILLED, CHANGED))

    def __str__(self) -> str:
        from crm_pipeline.salesforce.budget import composite_calls

        sobject, _, _ = self.field.partition(".")
        calls = composite_calls({(sobject, "update"): self.written}) if self.written else 0
        return (
            f"{counted(self.written, 'record')} of {len(self.values)} would get another "
            f"{self.field}: about {counted(calls, 'API call')} to write them, no further data "
            "storage; less where the org has it already, or the field's policy keeps what is there."
        )


def what_if(account_id: str, chosen: "FieldMapping") -> None:
    """Says what a mapping would make of a field of all records; reads all rows, changes nothing.

    Args:
        account_id: the account.
        chosen: the mapping.
    """
    effect = effect_of(account_id, chosen.sobject, chosen.field, chosen)
    print_table(
        "",
        ("what", "records", "such as, with letters and digits hidden"),
        [
            (what, number, ", ".join(_examples(effect.values, what)))
            for what, number in sorted(effect.changes.items())
        ],
        empty=f"The warehouse has nothing that comes to {chosen.sobject}.",
    )
    say(effect)


def tell_effect(
    account_id: str, sobject: str, field: str, chosen: "FieldMapping | None", *, yes: bool
) -> None:
    """Says what a mapping that is to be stored would make of records; asks where that is much.

    Much is what a cycle would be held for. Nothing is said where nothing was read yet, or where
    the warehouse does not answer.

    Args:
        account_id: the account.
        sobject: the object.
        field: its field.
        chosen: the mapping; None: none of the account's own any more.
        yes: whether it is agreed to already.
    """
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        limits = get_account(connection, account_id).settings.limits
        if not has_read(connection, account_id):
            return
    with if_the_warehouse_answers("what that changes"):
        effect = effect_of(account_id, sobject, field, chosen)
        most = limits.most_changed(len(effect.values))
        if most is not None and effect.written > most:
            agree(str(effect), "Store it?", yes=yes)
        else:
            say_once(str(effect))


def effect_of(account_id: str, sobject: str, field: str, chosen: "FieldMapping | None") -> Effect:
    """What another mapping of a field, or none of the account's own, would make of all records.

    Raises:
        AccountError: there is no such account.
        ExtractError: the warehouse cannot be read.
    """
    from crm_pipeline.accounts.store import field_mappings, get_account

    with rehearsal() as connection:
        account = get_account(connection, account_id)
        before = field_mappings(connection, account_id)
        after = [each for each in before if (each.sobject, each.field) != (sobject, field)]
        if chosen is not None:
            after.append(chosen)
        maps = [_map(account, each, sobject) for each in (before, after)]
        return Effect(f"{sobject}.{field}", _values(connection, account, sobject, field, maps))


def missed_values(account_id: str) -> Counter[tuple[str, str]]:
    """Returns what rows say that templates make nothing of, by field, with the number of rows.

    Raises:
        AccountError: there is no such account.
        ExtractError: the warehouse cannot be read.
    """
    from crm_pipeline.accounts.store import field_mappings, get_account
    from crm_pipeline.accounts.templates import Template
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.platform.reading import missed_of_tickets

    found: Counter[tuple[str, str]] = Counter()
    with rehearsal() as connection:
        account = get_account(connection, account_id)
        mappings = field_mappings(connection, account_id)
        for sobject in sorted({m.sobject for m in mappings if isinstance(m.source, Template)}):
            mapped = _map(account, mappings, sobject)
            for _, columns in _records(connection, account, sobject):
                found.update((f"{sobject}.{field}", said) for field, said in mapped.missed(columns))
        found.update(_missed_of_leads(connection, account))
        found.update(missed_of_tickets(connection, engine("warehouse"), account))
    return found


def _missed_of_leads(connection: "Connection", account: "Account") -> Iterator[tuple[str, str]]:
    """The same of the tracked leads that were read, for fields of the account's attribution."""
    from crm_pipeline.flows.attribution.rules import missed
    from crm_pipeline.ledger.tracked_leads import kept_leads
    from crm_pipeline.settings import settings

    chosen = account.settings.attribution
    if chosen is not None and chosen.further_fields:
        zone = settings().warehouse_timezone
        for lead in kept_leads(connection, account.account_id):
            for field, said in missed(lead, chosen, zone):
                yield f"Lead.{field}", said


FILLED, CHANGED, LEFT = "gets a value", "gets another value", "keeps what is there, unfilled"
SAME, NONE = "stays the same", "has no value"


def change(before: Any, after: Any) -> str:
    """Returns what becomes of a field; what no column fills any more is never blanked."""
    if after is None:
        return NONE if before is None else LEFT
    if before is None:
        return FILLED
    return SAME if before == after else CHANGED


def shape(value: Any) -> str:
    """Returns a value without what it says: a letter for letters, a digit for digits."""
    if isinstance(value, bool):
        return str(value).lower()
    plain = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", str(value)))
    return plain if len(plain) <= _EXAMPLE_CHARS else f"{plain[:_EXAMPLE_CHARS]}…"


def _examples(values: Values, what: str) -> list[str]:
    shapes = Counter(shape(new) for old, new in values.values() if change(old, new) == what)
    return [] if what in (NONE, LEFT) else [each for each, _ in shapes.most_common(_EXAMPLES)]


def _map(account: "Account", mappings: "list[FieldMapping]", sobject: str) -> "FieldMap":
    from crm_pipeline.flows.campaigns.rules import campaign_map, member_map
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.mapping import field_maps

    zone = settings().warehouse_timezone
    if sobject == "Campaign":
        return campaign_map(mappings, zone)
    if sobject == "CampaignMember":
        return member_map(mappings, zone)
    return field_maps(account.settings, mappings, zone)[sobject]


def _values(
    connection: "Connection",
    account: "Account",
    sobject: str,
    field: str,
    maps: "Sequence[FieldMap]",
) -> Values:
    """The values of all records; of several rows of one the newest that says something counts.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    fallbacks = [each.fallbacks.get(field) for each in maps]
    found: Values = {}
    for record, columns in _records(connection, account, sobject):
        said = [each.apply(columns).get(field) for each in maps]
        old, new = (
            now if now is not None else then
            for now, then in zip(said, found.get(record, fallbacks), strict=True)
        )
        found[record] = old, new
    return found


def _records(
    connection: "Connection", account: "Account", sobject: str
) -> Iterator[tuple[Hashable, Mapping[str, Any]]]:
    """The record that each row of the warehouse comes to, and the row's columns."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.webinars import rules
    from crm_pipeline.sources.account_rows import account_rows
    from crm_pipeline.sources.events import event_volumes, events
    from crm_pipeline.sources.participations import EXTRACTS, Participation

    warehouse = engine("warehouse")
    if sobject == "Campaign":
        volumes = event_volumes(warehouse, account.client_id)
        for event in events(warehouse, account.client_id, volumes.keys()):
            yield event.event_id, event.columns
        return
    rows = account_rows(connection, warehouse, account, backfilled=[])
    chosen = rules.choices(account.settings, rows.overrides, rows.filter_strings)
    keys: dict[str, Callable[[Participation], Hashable]] = {
        "Event": lambda row: (row.source, row.participation_id),
        "CampaignMember": lambda row: (row.columns["event_id"], _person(row)),
    }
    key = keys.get(sobject, _person)
    for extract in EXTRACTS:
        for chunk in rows.chunks(extract, None, chosen):
            refused = rules.refusals(chunk.rows, chosen)
            for place, row in enumerate(chunk.rows):
                if place not in refused:
                    yield key(row), row.columns


def _person(row: "Participation") -> str:
    """Whom a row is about: by the address, under which the platform may have somebody twice."""
    from crm_pipeline.sources.people import who

    return who(row)[1]
