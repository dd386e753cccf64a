"""What holds of a person in whatever order, and in how many parts, their rows are read.

Of two versions of what is wanted of a person the newer row's counts; but not each row says all: an
answer, a source or a consent is a registration's, figures are of all rows, and a clear no to
emails stays one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.flows.webinars import NAME
from crm_pipeline.flows.webinars.rules import Choices
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import SOBJECTS, UNSAID, own_parts
from crm_pipeline.sources.mapping import FieldMap


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
