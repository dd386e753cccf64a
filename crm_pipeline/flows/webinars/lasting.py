"""What holds of a person in whatever order, and however late, their rows are read.

Of two versions of what is wanted of a person the newer row's counts. Figures over all rows and a
clear no to emails are not of one row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.people import OPT_OUT
from crm_pipeline.flows.webinars import NAME
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import SOBJECTS, own_parts


def as_known(
    ledger: Connection, account_id: str, intents: Sequence[Intent], *, keeps_no: bool
) -> list[Intent]:
    """Returns the intents, those of people that older rows tell of as newer ones have said it.

    Args:
        ledger: where versions are kept.
        account_id: whose.
        intents: what rows want.
        keeps_no: whether a clear no to emails stays one, whichever row says it.
    """
    people = [each.natural_key for each in intents if each.kind == "person"]
    known = own_parts(ledger, account_id, NAME, people) if people else {}
    return [
        _as_known(each, *known[each.natural_key], keeps_no=keeps_no)
        if each.kind == "person" and each.natural_key in known
        else each
        for each in intents
    ]


def _as_known(
    intent: Intent, as_of: datetime, fields: Mapping[str, Any], *, keeps_no: bool
) -> Intent:
    newer = intent if intent.as_of >= as_of else replace(intent, as_of=as_of, fields=fields)
    nos = {
        sobject: {OPT_OUT: True}
        for sobject in SOBJECTS
        if keeps_no and any(said[sobject].get(OPT_OUT) is True for said in (intent.fields, fields))
    }
    together = {name: {**said, **nos.get(name, {})} for name, said in newer.fields.items()}
    return replace(newer, fields=together)
