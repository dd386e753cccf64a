"""`crm-pipeline account mapping what-if`: what another mapping would change, before it is made."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crm_pipeline.cli.databases import pipeline
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.sources.mapping import FieldMap

Values = dict[Hashable, tuple[Any, Any]]
"""Of each record the value so far, and with the other mapping; None: it gets none."""

_EXAMPLES = 3
_EXAMPLE_CHARS = 30


def what_if(account_id: str, chosen: "FieldMapping") -> None:
    """Says what a mapping would make of a field of all records; reads all rows, changes nothing.

    Args:
        account_id: the account.
        chosen: the mapping.
    """
    from crm_pipeline.accounts.store import field_mappings, get_account
    from crm_pipeline.salesforce.budget import composite_calls
    from crm_pipeline.sources.errors import ExtractError

    with pipeline().connect() as connection:
        account = get_account(connection, account_id)
        before = field_mappings(connection, account_id)
        after = [e for e in before if (e.sobject, e.field) != (chosen.sobject, chosen.field)]
        maps = [_map(account, each, chosen.sobject) for each in (before, [*after, chosen])]
        try:
            values = _values(connection, account, chosen, *maps)
        except ExtractError as error:
            mistake(f"{error}.")
        finally:
            connection.rollback()
    changes = Counter(change(*each) for each in values.values())
    print_table(
        "",
        ("what", "records", "such as, with letters and digits hidden"),
        [
            (what, number, ", ".join(_examples(values, what)))
            for what, number in sorted(changes.items())
        ],
        empty=f"The warehouse has nothing that comes to {chosen.sobject}.",
    )
    written = sum(changes[what] for what in (FILLED, CHANGED))
    calls = composite_calls({(chosen.sobject, "update"): written}) if written else 0
    say(
        f"{counted(written, 'record')} of {len(values)} would get another {chosen.sobject}."
        f"{chosen.field}: about {counted(calls, 'API call')} to write them, no further data "
        "storage; less where the org has it already, or the field's policy keeps what is there."
    )


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
    chosen: "FieldMapping",
    before: "FieldMap",
    after: "FieldMap",
) -> Values:
    """The values of all records; of several rows of one the newest that says something counts.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    fallbacks = [each.fallbacks.get(chosen.field) for each in (before, after)]
    found: Values = {}
    for record, columns in _records(connection, account, chosen.sobject):
        said = [each.apply(columns).get(chosen.field) for each in (before, after)]
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
    from crm_pipeline.sources.people import who

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
        "CampaignMember": lambda row: (row.columns["event_id"], who(row)),
    }
    key = keys.get(sobject, who)
    for extract in EXTRACTS:
        for chunk in rows.chunks(extract, None, chosen):
            refused = rules.refusals(chunk.rows, chosen)
            for place, row in enumerate(chunk.rows):
                if place not in refused:
                    yield key(row), row.columns
