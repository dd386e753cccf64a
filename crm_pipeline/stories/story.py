"""The story of a subject: who it is, what happened in the order of time, and what comes next."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.holds import open_hold
from crm_pipeline.ledger.parts import SOFTLY, UNSAID
from crm_pipeline.stories.subjects import Subject


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person of the account.

    Attributes:
        address: the email address, or the key of a phone number; None: another person has it.
        as_of: when the source said so, UTC.
        successor: who stands for them since `absorbed_at`, as both turned out to be one.
        sobject: of the record that stands for them; with its Id, and why it is this one.
        seen_at: when that was found, UTC.
        other_addresses: by which they are known, too.
        ids: the platform's and others', each behind its kind.
    """

    person_key: int
    address: str | None
    as_of: datetime
    successor: int | None
    absorbed_at: datetime | None
    sobject: str | None
    salesforce_id: str | None
    reason: str | None
    seen_at: datetime | None
    other_addresses: Sequence[str]
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an operation, as the ledger has it; times are in UTC."""

    operation_id: int
    flow: str
    kind: str
    natural_key: str
    version: int
    person_key: int | None
    as_of: datetime
    created_at: datetime
    read_by: int | None
    intent: Mapping[str, Any]
    state: str
    sobject: str | None
    action: str | None
    salesforce_id: str | None
    sent: Mapping[str, Any] | None
    reason: str | None
    error_code: str | None
    error_message: str | None
    attempts_left: int
    next_attempt_at: datetime | None
    finished_at: datetime | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, at a time (UTC), to whom or what, in words."""

    at: datetime
    about: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """How something stands now, and what happens next."""

    about: str
    operation_id: int
    state: str
    record: str | None
    comes_next: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of a subject."""

    people: Sequence[KnownPerson]
    moments: Sequence[Moment]
    outlooks: Sequence[Outlook]
    latest: Sequence[Version]


def story_of(connection: Connection, account: Account, subject: Subject) -> Story:
    """Returns the story of a subject; reads the ledger only.

    Sendings and refusals are told as far back as they are kept (HISTORY_DAYS), and what updates
    replaced likewise (UNDO_DAYS).
    """
    which = subject.parameters(account.account_id)
    which["natural_keys"] = connection.scalars(statement("stories/things"), which).all()
    people = objects(connection.execute(statement("stories/people"), which), KnownPerson)
    versions = objects(connection.execute(statement("stories/operations"), which), Version)
    names = _names(people)
    about = {each.operation_id: _about(each, names) for each in versions}
    moments = [
        *_of_people(people),
        *_of_versions(versions, about),
        *_of_requests(connection, about),
        *_of_conflicts(connection, which),
        *_of_leads(connection, which),
        *_of_wishes(connection, which),
    ]
    latest = {each.natural_key: each for each in versions}
    known = {each.person_key for each in people if each.salesforce_id is not None}
    goes = _goes_on(connection, account)
    return Story(
        people,
        sorted(moments, key=attrgetter("at")),
        [_outlook(each, about[each.operation_id], known, goes) for each in latest.values()],
        list(latest.values()),
    )


def _names(people: Iterable[KnownPerson]) -> Mapping[int, str]:
    return {each.person_key: each.address or str(each.person_key) for each in people}


def _about(version: Version, names: Mapping[int, str]) -> str:
    """What a version is about, as people know it: a person by the address."""
    known = names.get(version.person_key) if version.person_key is not None else None
    return f"person:{known}" if version.kind == "person" and known else version.natural_key


def _of_people(people: Iterable[KnownPerson]) -> Iterator[Moment]:
    for each in people:
        name = f"person:{each.address or each.person_key}"
        if each.absorbed_at is not None:
            detail = f"turned out to be person {each.successor}, who stands for both"
            yield Moment(each.absorbed_at, name, "joined", detail)


def _of_versions(versions: Sequence[Version], about: Mapping[int, str]) -> Iterator[Moment]:
    former: dict[str, Version] = {}
    for each in versions:
        name = about[each.operation_id]
        by = f"by cycle {each.read_by}" if each.read_by else ""
        if each.state == "rejected":
            yield Moment(each.created_at, name, f"read {by}".strip(), f"rejected: {each.reason}")
        else:
            wanted = _differences(former.get(each.natural_key), each)
            yield Moment(each.created_at, name, f"read {by}".strip(), wanted)
        former[each.natural_key] = each
        if each.finished_at is not None and each.state != "rejected":
            yield Moment(each.finished_at, name, each.state, _end(each))


def _differences(former: Version | None, version: Version) -> str:
    """What a version wants otherwise than the one before; of a first one, all that it wants."""
    if version.gone:
        return "to be gone"
    before = _fields(former.intent) if former is not None else {}
    now = _fields(version.intent)
    changed = [
        f"{name} = {now[name]}" if name not in before else f"{name}: {before[name]} → {now[name]}"
        for name in now
        if before.get(name) != now[name]
    ]
    changed += [f"{name} no longer" for name in before if name not in now]
    if former is not None and former.person_key != version.person_key:
        changed.insert(0, f"of person {version.person_key} instead of {former.person_key}")
    return "; ".join(changed) or "wanted as before"


_OF_THE_LEDGER = frozenset(("about", "key", "parent", "parts", "sobject", "topic", SOFTLY, UNSAID))
"""Parts of intents that no record has."""

_BARE = frozenset(("Lead", "Contact", "fields", "campaign", "body"))
"""Parts of intents whose own parts are fields."""


def _fields(intent: Mapping[str, Any]) -> dict[str, str]:
    """The values of an intent by field; those of a person are the Lead's."""
    fields: dict[str, str] = {}
    for name, value in intent.items():
        if name in _OF_THE_LEDGER or (name == "Contact" and "Lead" in intent):
            continue
        if isinstance(value, Mapping):
            before = "" if name in _BARE else f"{name}."
            fields |= {f"{before}{each}": text for each, text in _fields(value).items()}
        elif value is not None:
            fields[name] = " / ".join(str(value).splitlines())
    return fields


def _end(version: Version) -> str:
    """How a version ended, in words."""
    record = f"{version.sobject} {version.salesforce_id}".strip() if version.salesforce_id else ""
    if version.state == "done" and version.kind == "message":
        return "the platform has it"
    if version.state == "done":
        action = {"create": "created", "update": "updated", "delete": "deleted"}.get(
            version.action or "", "nothing to write to"
        )
        said = f"{action} {record}".strip()
        if version.action == "update" and version.sent:
            said += f": {', '.join(version.sent)}"
        return f"{said} ({version.reason})" if version.reason else said
    if version.state == "superseded":
        return version.reason or "overtaken by a newer version before it went out"
    return version.reason or ""


def _of_requests(connection: Connection, about: Mapping[int, str]) -> Iterator[Moment]:
    """What was looked up, sent and answered for some operations."""
    which = {"operation_ids": list(about)}
    for row in connection.execute(statement("stories/candidates"), which):
        detail = f"{row.chosen} of {', '.join([row.chosen, *row.others])}"
        yield Moment(row.looked_at, about[row.operation_id], "chosen in the org", detail)
    for row in connection.execute(statement("stories/sendings"), which):
        way = {"bulk": "in a bulk job", "composite": "in a composite call"}.get(row.route, "")
        detail = f"{row.action} {row.sobject} {way}".strip()
        if row.ended_at is None:
            detail += "; no answer yet"
        event = f"sent by cycle {row.cycle_id}"
        yield Moment(row.sent_at, about[row.operation_id], event, detail)
    for row in connection.execute(statement("stories/replaced"), which):
        values = "; ".join(
            f"{name}: {_shown(row.former[name])} → {_shown(new)}"
            for name, new in row.written.items()
        )
        detail = f"{row.sobject} {row.salesforce_id}: {values}"
        yield Moment(row.sent_at, about[row.operation_id], "replaces", detail)
    for row in connection.execute(statement("stories/refusals"), which):
        detail = f"{row.error_code}: {row.error_message}"
        yield Moment(row.refused_at, about[row.operation_id], "refused", detail)
    changes: defaultdict[tuple[int, datetime], list[str]] = defaultdict(list)
    for row in connection.execute(statement("operations/field_changes"), which):
        became = "left out" if row.new_value is None else f"→ {row.new_value}"
        text = f"{row.field}: {row.old_value} {became} ({row.why})"
        changes[row.operation_id, row.changed_at].append(text)
    for (operation_id, at), texts in changes.items():
        yield Moment(at, about[operation_id], "fitted to the org", "; ".join(texts))


def _shown(value: object) -> object:
    return "nothing" if value is None else value


def _of_leads(connection: Connection, which: Mapping[str, Any]) -> Iterator[Moment]:
    """What the tracker said, and what became of it in the org."""
    for row in connection.execute(statement("stories/tracked_leads"), which):
        left_out = f", left out: {row.rejected_because}" if row.rejected_because else ""
        detail = f"{row.kind or 'lead'}{left_out}"
        yield Moment(row.happened_at, f"lead:{row.lead_id}", "tracked", detail)
    for row in connection.execute(statement("stories/opportunities"), which):
        name = f"opportunity:{row.opportunity_id}"
        told = f"{row.name}, {row.stage}{', deleted' if row.deleted else ''}"
        if row.lead_id is not None:
            event = "no longer matched" if row.withdrawn else "matched"
            detail = f"{told}; to lead {row.lead_id} by {row.rule}: {row.because}"
            yield Moment(row.matched_at, name, event, detail)
        elif row.looked_at is not None:
            yield Moment(row.looked_at, name, "not matched", f"{told}; {row.waits_because or ''}")


def _of_wishes(connection: Connection, which: Mapping[str, Any]) -> Iterator[Moment]:
    for row in connection.execute(statement("stories/wishes"), which):
        name = f"campaign {row.campaign_id}"
        yield Moment(row.noticed_at, name, "wished in the org", f"member {row.member_id}")
        if row.told_at is not None:
            yield Moment(row.told_at, name, "told", "the wish went to the platform")


_DECIDED = {None: "waits for a decision (`conflict list`)", "source": "the source's was taken"}


def _of_conflicts(connection: Connection, which: Mapping[str, Any]) -> Iterator[Moment]:
    for row in connection.execute(statement("stories/conflicts"), which):
        outcome = _DECIDED.get(row.decided, "the one there stays")
        detail = f"{row.field}: {row.there} there, {row.wanted} wanted; {outcome}"
        yield Moment(row.seen_at, f"{row.sobject} {row.salesforce_id}", "two hands", detail)


def _goes_on(connection: Connection, account: Account) -> str:
    """When something of the account is sent again, in words."""
    if (without := account.without_cycles) is not None:
        return f"once the account's cycles {without.verb} (`{without.command}`)"
    if open_hold(connection, account.account_id) is not None:
        return "once somebody approves what the account is held for (`crm-pipeline approve`)"
    return "with the next cycle"


def _outlook(version: Version, about: str, known: Collection[int], goes: str) -> Outlook:
    record = f"{version.sobject} {version.salesforce_id}" if version.salesforce_id else None
    waits = version.kind != "person" and version.person_key not in {None, *known}
    return Outlook(about, version.operation_id, version.state, record, _next(version, waits, goes))


def _next(version: Version, waits: bool, goes: str) -> str:
    """What will become of something, in words; it may wait for its person."""
    if version.state in ("rejected", "left_out", "dropped", "superseded"):
        return f"is not sent: {version.reason or version.state}"
    if version.state == "pending" and waits:
        return "goes once its person is in the org"
    due = version.next_attempt_at
    return _COMES_NEXT[version.state].format(
        code=version.error_code,
        tries=version.attempts_left,
        operation=version.operation_id,
        goes=goes,
        due=f", not before {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if due else "",
    )


_COMES_NEXT = {
    "pending": "goes {goes}",
    "in_flight": "sent, and no answer came: it is looked up in the org {goes}",
    "failed": "{code}: tried again {goes}{due}; tries left: {tries}",
    "exhausted": "{code}: nothing by itself; mend the cause, then "
    "`crm-pipeline operations requeue {operation}`",
    "held": "held until the plan that is sent has ended",
    "done": "nothing, until the source says otherwise",
}
"""By state."""
