"""The rules of the engagement workflow: what the org is to hold of each prospect. Pure (spec 3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.engagement_objects import (
    NAME_LENGTH,
    Names,
    ObjectName,
)
from crm_pipeline.flows.engagement import topics
from crm_pipeline.ledger.engagement import (
    Definition,
    EngagedPerson,
    Prospect,
    ProspectToSay,
)
from crm_pipeline.ledger.records import About, ChildSet, RecordWant, Target
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.record_keys import fitting
from crm_pipeline.sources.mapping import salesforce_value
from crm_pipeline.text import JsonText, is_no_id, trimmed

Wanted = RecordWant | ChildSet

ACTIVE = "active"
MATCH_ATTEMPTS = 30
"""Tries of what is written to a Lead or Contact; then it waits for the source to change."""

PROCESSED, NOT_PROCESSED = "Processed", "Not Processed"

Page = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Basis:
    """Facts that all wants of a batch go by.

    Attributes:
        chosen: the account's settings.
        definitions: of tags and scores, by kind and id; what is not defined is not given.
        pages: by prospect, where the account keeps pages.
        now: when this is wanted, UTC.
    """

    chosen: EngagementSettings
    definitions: Mapping[tuple[str, str], Definition]
    pages: Mapping[str, Sequence[Page]]
    now: datetime

    @property
    def names(self) -> Names:
        """The API names in the client's org."""
        return self.chosen.names


def definition_of(row: Mapping[str, Any]) -> Definition | None:
    """Returns the tag or score that a row defines; None for a row without an id."""
    if is_no_id(row["id"]):
        return None
    columns = {
        name: value
        for name, value in _said(row).items()
        if name not in ("what", "id", "changed_at")
    }
    kind: Literal["tag", "score"] = "tag" if row["what"] == "tag" else "score"
    return Definition(kind, str(row["id"]), row["changed_at"], columns)


def prospect_of(row: Mapping[str, Any]) -> Prospect | None:
    """Returns the prospect that a row says; None for a row without an id."""
    if is_no_id(row["prospect_id"]):
        return None
    said = _said({name: value for name, value in row.items() if name not in ("tags", "scores")})
    life_cycle = said.get("life_cycle", ACTIVE)
    email = said.get("email")
    return Prospect(
        str(row["prospect_id"]),
        row["changed_at"],
        email_key(email) if isinstance(email, str) else None,
        str(life_cycle).lower() == ACTIVE,
        {name: value for name, value in said.items() if name not in ("prospect_id", "changed_at")},
        _given(row["tags"]),
        _given(row["scores"]),
    )


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a row, as the ledger keeps them: without what says nothing."""
    return {n: said for n, value in row.items() if (said := salesforce_value(value)) is not None}


def _given(value: Any) -> dict[str, dict[str, Any]]:
    """Tags or scores by id, each with what is said of it."""
    parsed = value.parsed() if isinstance(value, JsonText) else value
    if not isinstance(parsed, Mapping):
        return {}
    return {
        str(given): _said(of) if isinstance(of, Mapping) else {} for given, of in parsed.items()
    }


def definition_want(definition: Definition, basis: Basis, *, is_gone: bool = False) -> RecordWant:
    """Returns the record of a tag or a score, or that it is to be gone."""
    kind = definition.kind
    fields: dict[str, Any] | None = None
    if not is_gone and not basis.chosen.clean_up:
        fields = _fields(basis.names, kind, definition.columns)
        fields["Name"] = _name(definition.columns.get("name"), definition.definition_id)
    return RecordWant(
        f"{kind}:{definition.definition_id}",
        topics.OF_DEFINITIONS[kind],
        basis.now,
        target_of(basis.names, kind, definition.definition_id),
        fields,
    )


def prospect_wants(prospect: ProspectToSay, basis: Basis) -> list[Wanted]:
    """Returns what the org is to hold of a prospect; of one that is not due, how it stands."""
    found: list[Wanted] = [_prospect(prospect, basis)]
    is_gone = _is_gone(prospect, basis)
    if prospect.is_due:
        key = f"prospect:{prospect.prospect_id}"
        given = {} if is_gone else dict(_given_wants(prospect, basis))
        found += given.values()
        for topic in topics.OF_PROSPECTS.values():
            found.append(ChildSet(key, topic, frozenset(given), basis.now))
        pages = dict(_page_wants(prospect, basis)) if basis.chosen.pages and not is_gone else {}
        found += pages.values()
        found.append(ChildSet(key, topics.PAGES, frozenset(pages), basis.now))
    return found


def _is_gone(prospect: ProspectToSay, basis: Basis) -> bool:
    return prospect.is_gone or basis.chosen.clean_up


def status_of(prospect: ProspectToSay) -> str:
    """Returns whether a prospect's Leads and Contacts have all of it.

    One that is not active is processed: nobody is to have anything of it.
    """
    open_work = prospect.is_waiting or prospect.has_given_up
    return NOT_PROCESSED if prospect.is_active and open_work else PROCESSED


def _prospect(prospect: ProspectToSay, basis: Basis) -> RecordWant:
    fields: dict[str, Any] | None = None
    if not _is_gone(prospect, basis):
        columns = dict(prospect.columns)
        columns["favorite"] = bool(columns.get("favorite", False))
        columns["sync_status"] = status_of(prospect)
        columns["lead_attempts"] = prospect.lead_attempts
        columns["contact_attempts"] = prospect.contact_attempts
        fields = _fields(basis.names, "prospect", columns)
        fields["Name"] = _name(columns.get("email"), prospect.prospect_id)
    return RecordWant(
        f"prospect:{prospect.prospect_id}",
        topics.PROSPECTS,
        basis.now,
        target_of(basis.names, "prospect", prospect.prospect_id),
        fields,
    )


def _given_wants(prospect: Prospect, basis: Basis) -> Iterator[tuple[str, RecordWant]]:
    """The tags and scores of a prospect that are defined, by natural key."""
    parent = f"prospect:{prospect.prospect_id}"
    for kind, given_id, said in _defined(prospect, basis):
        of: ObjectName = "prospect_tag" if kind == "tag" else "prospect_score"
        key = joined(prospect.prospect_id, given_id)
        yield (
            f"{of}:{key}",
            RecordWant(
                f"{of}:{key}",
                topics.OF_PROSPECTS[kind],
                basis.now,
                target_of(basis.names, of, key),
                given_fields(basis, of, kind, given_id, said),
                refs={
                    basis.names.field(of, "prospect"): parent,
                    basis.names.field(of, kind): f"{kind}:{given_id}",
                },
                parent=parent,
            ),
        )


def _page_wants(prospect: Prospect, basis: Basis) -> Iterator[tuple[str, RecordWant]]:
    parent = f"prospect:{prospect.prospect_id}"
    for page in basis.pages.get(prospect.prospect_id, ()):
        if is_no_id(page["page_id"]):
            continue
        page_id = str(page["page_id"])
        yield (
            f"prospect_page:{page_id}",
            RecordWant(
                f"prospect_page:{page_id}",
                topics.PAGES,
                basis.now,
                target_of(basis.names, "prospect_page", page_id),
                _page_fields(basis.names, "prospect_page", page),
                refs={basis.names.field("prospect_page", "prospect"): parent},
                parent=parent,
            ),
        )


def person_wants(
    person: EngagedPerson, prospects: Sequence[Prospect], basis: Basis
) -> tuple[list[Wanted], bool]:
    """Returns what a Lead or Contact is to have of its prospects, and whether it has any of it.

    Of several prospects with its address the one that changed last speaks for the fields; tags,
    scores and pages are those of all. A converted Lead is not touched. What has no prospect any
    more gets its fields emptied and loses its copies; of one that is deleted only these go.

    Args:
        person: the Lead or Contact.
        prospects: the active ones with its address, the one that changed last at the end.
        basis: what goes for all.
    """
    if person.is_converted:
        return [], person.is_engaged
    topic = topics.MATCHES[person.sobject]
    parent = f"engaged:{person.salesforce_id}"
    if not person.is_there or not prospects or basis.chosen.clean_up:
        if not person.is_engaged:
            return [], False
        nothing = ChildSet(parent, topic, frozenset(), basis.now)
        if not person.is_there:
            return [nothing], False
        return [*_shown(person, None, basis, topics.CLEANS[person.sobject]), nothing], False
    copies: dict[str, RecordWant] = {}
    for prospect in prospects:
        copies.update(_copies(person, prospect, basis, topic))
    children = ChildSet(parent, topic, frozenset(copies), basis.now)
    shown = _shown(person, prospects[-1], basis, topic, of=len(prospects))
    return [*shown, *copies.values(), children], True


def _shown(
    person: EngagedPerson, speaker: Prospect | None, basis: Basis, topic: str, *, of: int = 1
) -> Iterator[RecordWant]:
    """The mapped fields of a Lead or Contact; without a prospect they are emptied.

    So are those that were mapped before. `of` how many prospects it speaks is kept with them.
    """
    mapping = basis.chosen.shown_of_people
    because = None
    if speaker is not None and of > 1:
        because = f"of {of} prospects with its address, {speaker.prospect_id} changed last"
    if basis.chosen.by_event:
        if mapping or person.filled:
            yield replace(_match_event(person, speaker, basis), because=because)
        return
    if not mapping and not person.is_engaged:
        return
    yield RecordWant(
        f"engaged:{person.salesforce_id}",
        topic,
        basis.now,
        Target(person.sobject, salesforce_id=person.salesforce_id),
        {field: _value_shown(source, speaker, basis) for field, source in mapping.items()},
        attempts=MATCH_ATTEMPTS,
        empties=True,
        because=because,
    )


def _match_event(person: EngagedPerson, speaker: Prospect | None, basis: Basis) -> RecordWant:
    """The event of a match: what is said again has the version that it had, anything else the next.

    So the client's flow may leave alone what it knows. Without a prospect all fields are empty; so
    are those that were mapped before, until the record shows them empty.
    """
    chosen, mapping = basis.chosen, basis.chosen.shown_of_people
    version, former = chosen.event_field("version"), person.former or {}
    shown = {field: _value_shown(source, speaker, basis) for field, source in mapping.items()}
    shown |= {field: None for field in person.filled if field not in mapping}
    fields = {
        chosen.event_field("record"): person.salesforce_id,
        chosen.event_field("object"): person.sobject,
        chosen.event_field("prospect"): speaker and speaker.prospect_id,
        **{chosen.event_field(field): value for field, value in shown.items()},
    }
    told = {field: chosen.event_field(field) for field in shown}
    said = former.get("fields") or {}
    known = {field: value for field, value in said.items() if field in fields or value is not None}
    if "about" in former and {**known, version: None} == {**fields, version: None}:
        told, fields = former["about"]["shown"], said
    else:
        fields[version] = person.former_version + 1
    return RecordWant(
        f"engaged:{person.salesforce_id}",
        topics.MATCH_EVENTS,
        basis.now,
        Target(chosen.event_name, about=About(person.sobject, person.salesforce_id, told)),
        fields,
        attempts=MATCH_ATTEMPTS,
    )


def _value_shown(source: str, speaker: Prospect | None, basis: Basis) -> Any:
    kind, _, given_id = source.partition(":")
    if source == "favorite":
        return bool(speaker and speaker.columns.get("favorite", False))
    if speaker is None:
        return None
    match kind:
        case "prospect_id":
            return speaker.prospect_id
        case "tags":
            tags = (
                str(basis.definitions["tag", tag].columns.get("name", tag))
                for which, tag, _ in _defined(speaker, basis)
                if which == "tag"
            )
            return "; ".join(sorted(tags)) or None
        case "score" | "grade":
            said = speaker.scores.get(given_id) if ("score", given_id) in basis.definitions else {}
            return (said or {}).get("value" if kind == "score" else "grade")
    return speaker.columns.get(source)


def _copies(
    person: EngagedPerson, prospect: Prospect, basis: Basis, topic: str
) -> Iterator[tuple[str, RecordWant]]:
    """The wants of a Lead or Contact from a prospect: tags, scores, pages, by natural key."""
    names, parent = basis.names, f"engaged:{person.salesforce_id}"
    side = person.sobject.lower()
    wanted: list[tuple[ObjectName, str, dict[str, Any], dict[str, str]]] = []
    for kind, given_id, said in _defined(prospect, basis):
        of: ObjectName = "person_tag" if kind == "tag" else "person_score"
        fields = given_fields(basis, of, kind, given_id, said)
        wanted.append((of, given_id, fields, {names.field(of, kind): f"{kind}:{given_id}"}))
    if basis.chosen.pages:
        for page in basis.pages.get(prospect.prospect_id, ()):
            if page["page_id"] is not None:
                fields = _page_fields(names, "person_page", page)
                wanted.append(("person_page", str(page["page_id"]), fields, {}))
    for of, given_id, fields, refs in wanted:
        key = joined(person.salesforce_id, given_id)
        yield (
            f"{of}:{key}",
            RecordWant(
                f"{of}:{key}",
                topic,
                basis.now,
                target_of(names, of, key),
                fields,
                refs={names.field(of, side): f"id:{person.salesforce_id}", **refs},
                parent=parent,
                attempts=MATCH_ATTEMPTS,
            ),
        )


def _defined(
    prospect: Prospect, basis: Basis
) -> Iterator[tuple[Literal["tag", "score"], str, Mapping[str, Any]]]:
    """The tags and scores of a prospect of which there is a definition."""
    for tag, said in prospect.tags.items():
        if ("tag", tag) in basis.definitions:
            yield "tag", tag, said
    for score, said in prospect.scores.items():
        if ("score", score) in basis.definitions:
            yield "score", score, said


def given_fields(
    basis: Basis, of: ObjectName, kind: str, given_id: str, said: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a tag or score that somebody has, under the name of its definition."""
    fields = _fields(basis.names, of, said)
    name = basis.definitions[kind, given_id].columns.get("name")
    fields["Name"] = _name(name, given_id)
    return fields


def _page_fields(names: Names, of: ObjectName, page: Page) -> dict[str, Any]:
    said = _said(page)
    fields = _fields(names, of, said)
    fields["Name"] = _name(said.get("title") or said.get("url"), str(page["page_id"]))
    return fields


def _fields(names: Names, of: ObjectName, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an object that are neither keys nor references; what is not said is empty."""
    return {field: said.get(name) for name, field in names.values[of].items()}


def target_of(names: Names, of: ObjectName, key: str) -> Target:
    """The record of an object by the key that we make for it."""
    return Target(names.object(of), (names.field(of, "key"), fitting(key)))


def _name(text: Any, otherwise: str) -> str:
    """The Name of a record, cut to its length."""
    return trimmed(str(text or otherwise).strip(), NAME_LENGTH) or "-"


def joined(*parts: str) -> str:
    """Parts as one key, from which no other parts come."""
    return ":".join(part.replace("\\", "\\\\").replace(":", "\\:") for part in parts)
