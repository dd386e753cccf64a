"""What holds of a person in whatever order, and in how many parts, their rows are read.

Of two versions of what is wanted of a person the newer row's counts; but not each row says all: an
answer, a source or a consent is a registration's, figures are of all rows, and a clear no to
emails stays one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.flows.webinars import NAME
from crm_pipeline.flows.webinars.rules import NATURAL_KEY, PART_OF_ANOTHER, Choices
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import SOBJECTS, UNSAID, own_parts
from crm_pipeline.ledger.replay import replay_rows
from crm_pipeline.sources.mapping import FieldMap
from crm_pipeline.text import storable_json

_SOURCES = {kind: source for source, kind in NATURAL_KEY.items()}


def with_known(
    ledger: Connection, account_id: str, intents: Sequence[Intent], chosen: Choices
) -> list[Intent]:
    """Returns the intents, those of people together with what rows said that were read before.

    Args:
        ledger: where versions are kept.
        account_id: whose.
        intents: what rows want.
        chosen: the account's choices.
    """
    people = [each.natural_key for each in intents if each.kind == "person"]
    known = own_parts(ledger, account_id, NAME, people) if people else {}
    return [
        joined(each, *known[each.natural_key], chosen)
        if each.kind == "person" and each.natural_key in known
        else each
        for each in intents
    ]


def let_older_rows_count(ledger: Connection, account_id: str, intents: Sequence[Intent]) -> bool:
    """Whose newest row is gone, refused or another's by now is heard by the rows that are left.

    Else what these say would be older than what is known. The newest of them is to be read again
    (`ledger.replay`), as it may have been read already. To be called before the intents are joined
    with what is known, in the transaction that records them.

    Args:
        ledger: where versions are kept.
        account_id: whose.
        intents: what rows want; of activities that are not new it counts whose they are now.

    Returns:
        Whether rows are to be read again.
    """
    now = [
        {"natural_key": each.natural_key, "person_key": each.person_key, "as_of": each.as_of}
        for each in intents
        if each.kind == "activity" and each.rejected_because != PART_OF_ANOTHER
    ]
    if not now:
        return False
    parameters = {"account_id": account_id, "flow": NAME, "rows": storable_json(now)}
    left: defaultdict[str, list[int]] = defaultdict(list)
    for key in ledger.scalars(statement("ledger/let_older_rows_count"), parameters):
        kind, _, row_id = key.partition(":")
        left[_SOURCES[kind]].append(int(row_id))
    replay_rows(ledger, account_id, NAME, left, ["activity", "person"])
    return bool(left)


def joined(intent: Intent, as_of: datetime, known: Mapping[str, Any], chosen: Choices) -> Intent:
    """Returns what rows want of a person together with what others have said. Pure.

    Args:
        intent: what the rows want.
        as_of: when the others said it last.
        known: that, by sObject.
        chosen: the account's choices.
    """
    older, newer = (known, intent.fields) if as_of <= intent.as_of else (intent.fields, known)
    fields: dict[str, Any] = {}
    unsaid: list[str] = []
    for sobject in SOBJECTS:
        mapped = chosen.maps[sobject]
        before, now = (_said(part, sobject, mapped) for part in (older, newer))
        said = {name: value for name, value in before.items() if name in mapped.sources} | now
        there = older[sobject].keys() | newer[sobject].keys()
        missing = [name for name in mapped.fallbacks if name in there and name not in said]
        fields[sobject] = said | {name: mapped.fallbacks[name] for name in missing}
        unsaid += [f"{sobject}.{name}" for name in missing]
    if unsaid:
        fields[UNSAID] = unsaid
    for sobject in SOBJECTS:
        for no in chosen.lasting_noes(sobject):
            if any(each[sobject].get(no) is True for each in (older, newer)):
                fields[sobject][no] = True
    return replace(intent, as_of=max(as_of, intent.as_of), fields=fields)


def _said(part: Mapping[str, Any], sobject: str, mapped: FieldMap) -> dict[str, Any]:
    """What a part says of an object's fields, without what was chosen for want of anything said.

    Parts of before did not name these; they are LeadSource, told by its value.
    """
    unsaid = {
        *part.get(UNSAID, ()),
        *(
            f"{sobject}.{name}"
            for name, value in mapped.fallbacks.items()
            if name not in mapped.templates and part[sobject].get(name) == value
        ),
    }
    return {
        name: value for name, value in part[sobject].items() if f"{sobject}.{name}" not in unsaid
    }
