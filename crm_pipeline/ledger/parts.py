"""Parts of one person that several flows want: each is kept, and they are sent together.

A flow knows what it wants of a person, and not what others do. Without the parts the version of one
would take the place of another's that was not sent yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import Intent

SOBJECTS = ("Lead", "Contact")

SOFTLY = "unless_edited"
"""In a part: the fields that it wants only as far as nobody else does, neither another flow nor
people in the org. Where a flow has it, others may want something of the same people."""

UNSAID = "unsaid"
"""In a part: fields, as `Lead.City`, of which no row says anything: they have the default."""

WITHDRAWN = "withdrawn"
"""In a part: by it nothing of the person is wanted any more. Alone it makes nobody."""

_PARTS, _SAID = "parts", "said"


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest version of what is wanted of a person; `flow` is the one that said it."""

    natural_key: str
    flow: str
    as_of: datetime
    intent: Mapping[str, Any]
    memory: Mapping[str, Any] | None


def with_parts(
    connection: Connection, account_id: str, flow: str, intents: Sequence[Intent]
) -> Sequence[Intent]:
    """Returns a flow's intents, those of people together with what other flows want of them."""
    keys = [each.natural_key for each in intents if each.kind == "person"]
    if not keys:
        return intents
    if not any(SOFTLY in each.fields for each in intents):
        whose = {"account_id": account_id}
        if not connection.scalar(statement("ledger/people_of_several_flows"), whose):
            return intents
    latest = _latest(connection, account_id, flow, keys, every=False)
    return [
        joined(each, flow, latest[each.natural_key]) if each.natural_key in latest else each
        for each in intents
    ]


def own_parts(
    connection: Connection, account_id: str, flow: str, natural_keys: Sequence[str]
) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """Returns what a flow wants of people by now, and since when, by natural key."""
    found = {}
    for key, latest in _latest(connection, account_id, flow, natural_keys, every=True).items():
        parts, said = _known(latest)
        if flow in parts:
            found[key] = said[flow], parts[flow]
    return found


def joined(intent: Intent, flow: str, latest: Latest) -> Intent:
    """A flow's intent of a person, joined with what others want. Pure.

    Of a flow the newest counts; of two flows that want one field otherwise, the newer one, but
    what is only wanted `SOFTLY` gives way.

    Args:
        intent: what the flow wants.
        flow: its name.
        latest: the version that is known, of whichever flow.
    """
    parts, said = _known(latest)
    if flow not in said or said[flow] <= intent.as_of:
        parts[flow], said[flow] = intent.fields, intent.as_of
    in_order = [parts[each] for each in sorted(parts, key=lambda each: (said[each], each))]
    fields: dict[str, Any] = {
        sobject: _wanted(in_order, sobject, softly=True) | _wanted(in_order, sobject, softly=False)
        for sobject in SOBJECTS
    }
    firm = {name for sobject in SOBJECTS for name in _wanted(in_order, sobject, softly=False)}
    soft = {name for part in in_order for name in part.get(SOFTLY, ())}
    fields[SOFTLY] = sorted(soft - firm)
    fields[_PARTS] = parts
    if all(part.get(WITHDRAWN) for part in in_order):
        fields[WITHDRAWN] = True
    memory = {_SAID: {each: at.isoformat() for each, at in said.items()}}
    return replace(intent, as_of=max(said.values()), fields=fields, memory=memory)


def _latest(
    connection: Connection, account_id: str, flow: str, natural_keys: Sequence[str], *, every: bool
) -> dict[str, Latest]:
    """The latest versions; unless of every person, of those of whom other flows want something."""
    parameters = {
        "account_id": account_id,
        "flow": flow,
        "natural_keys": list(natural_keys),
        "all": every,
    }
    rows = connection.execute(statement("ledger/latest_parts"), parameters)
    return {each.natural_key: each for each in objects(rows, Latest)}


def _known(latest: Latest) -> tuple[dict[str, Any], dict[str, datetime]]:
    """The part of each flow, and when it was said."""
    parts = dict(latest.intent.get(_PARTS) or {latest.flow: latest.intent})
    times = (latest.memory or {}).get(_SAID) or {latest.flow: latest.as_of.isoformat()}
    # A part that is to be heard anew is older than it was said.
    return parts, {f: min(datetime.fromisoformat(at), latest.as_of) for f, at in times.items()}


def _wanted(parts: Sequence[Mapping[str, Any]], sobject: str, *, softly: bool) -> dict[str, Any]:
    return {
        name: value
        for part in parts
        for name, value in part.get(sobject, {}).items()
        if (name in part.get(SOFTLY, ())) is softly
    }
