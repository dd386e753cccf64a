"""The rules of campaigns: which campaign, which status, what of it is new. Pure (spec 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import orjson

from crm_pipeline.accounts.account import Vanished
from crm_pipeline.accounts.campaigns import CampaignSettings, MemberStatus
from crm_pipeline.accounts.stages import STAGES_OF_PEOPLE, Stage, Words
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.campaigns import stages, sums
from crm_pipeline.flows.campaigns.stages import row_key
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.member_rows import MemberRow
from crm_pipeline.ledger.people import Who
from crm_pipeline.sources.events import Event
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.mapping import FieldMap, field_map, rejection
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import who
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.sources.stages import word_of
from crm_pipeline.text import seen, trimmed, written

MEMBER, CAMPAIGN = "CampaignMember", "Campaign"

NAME_CHARS = 80
"""Of Campaign.Name (Salesforce: Campaign), in units of UTF-16."""

RULES = 3
"""Of the stages; members that other rules made are read again."""

NOT_LINKED = "no campaign is linked to the event"
NO_EVENT = "no event_id"
NO_STATUS = "the account sends no status for this stage"
UNKNOWN_WORD = "nobody has said what the status {!r} means: name its stage in stage_of"
NOBODY = "the org is not known to have this person, and nobody is made of this stage"
ABSENT = "neither registered nor attended"
NO_ROW = "no registration or attendance is left"


@dataclass(frozen=True, slots=True)
class Choices:
    """The account's choices that its memberships depend on.

    Attributes:
        settings: its campaign settings.
        members: what it fills further fields of CampaignMember with.
        links: campaigns that people named, by event id.
        linked: events that have a campaign, however they came by it.
        filter_strings: addresses that must not reach the org.
        vanished: what becomes of what the org has of rows that are gone.
        words: the meaning of its status words.
        people_from: stages whose people become people of the org.
        over: sessions that are over for long enough, and were attended: whoever is registered for
            one of these has not come.
        recordings: whether the warehouse tells who only saw the recording.
        campaigns: what it fills further fields of Campaign with.
    """

    settings: CampaignSettings
    members: FieldMap
    links: Mapping[int, str]
    linked: Set[int] = frozenset()
    filter_strings: Sequence[str] = ()
    vanished: Vanished = "keep"
    words: Words = default(default_factory=Words)
    people_from: Collection[Stage] = STAGES_OF_PEOPLE
    over: Set[int] = frozenset()
    recordings: bool = True
    campaigns: FieldMap = default(default_factory=lambda: FieldMap({}, {}))

    @property
    def statuses(self) -> Mapping[Stage, MemberStatus]:
        """The statuses that are sent, by stage; one for who saw a recording where that is told."""
        return self.settings.sent(recordings=self.recordings)

    def has_campaign(self, event_id: int) -> bool:
        """Returns whether an event is linked to a campaign, or will find or get one."""
        own = self.settings.external_id_field is not None or self.settings.create_campaigns
        return own or event_id in self.links or event_id in self.linked

    def people_from_none(self, said: Iterable[Stage]) -> bool:
        """Returns whether none of these stages makes somebody a person of the org."""
        return not set(said).intersection(self.people_from)


def member_map(
    overrides: Sequence[FieldMapping], timezone: str = "UTC", join_link_field: str | None = None
) -> FieldMap:
    """Returns the account's map of further fields of CampaignMember; there is none by default."""
    link = () if join_link_field is None else (FieldMapping(MEMBER, join_link_field, "join_link"),)
    return _map_of(MEMBER, (*link, *overrides), timezone)


def campaign_map(overrides: Sequence[FieldMapping], timezone: str = "UTC") -> FieldMap:
    """Returns the account's map of further fields of Campaign; there is none by default."""
    return _map_of(CAMPAIGN, overrides, timezone)


def status_on(today: date, starts: str | None, ends: str | None) -> str:
    """Returns the status of a campaign by its days (ISO, or what the warehouse says instead)."""
    now = today.isoformat()
    if starts and now < starts:
        return "Planned"
    return "Completed" if ends and now > ends else "In Progress"


def _map_of(sobject: str, overrides: Sequence[FieldMapping], timezone: str) -> FieldMap:
    chosen = [override for override in overrides if override.sobject == sobject]
    return field_map(
        {each.field: each.source for each in chosen if each.source is not None},
        {each.field: each.constant for each in chosen if each.constant is not None},
        timezone=timezone,
    )


def fingerprint(choices: Choices) -> str:
    """Differs when what is sent of each member differs, or where to."""
    settings, members, words = choices.settings, choices.members, choices.words
    said: dict[str, Any] = {
        "external_id_field": settings.external_id_field,
        "create_campaigns": settings.create_campaigns,
        "statuses": {stage: s.model_dump() for stage, s in choices.statuses.items()},
        "words": {**words.stage_of, "": words.unknown_stage},
        "rules": RULES,
        "columns": members.sources,
        "constants": members.constants,
    }
    if choices.campaigns.sources or choices.campaigns.constants:
        said["campaigns"] = [choices.campaigns.sources, choices.campaigns.constants]
    if settings.campaign_status:
        said["campaign_status"] = True
    if not settings.reregistration:
        said["reregistration"] = False
    if words.least_minutes > 1:
        said["least_minutes"] = words.least_minutes
    if summed := sums.SUMMED.intersection(members.sources.values()) - sums.SINCE_LONG:
        said["summed"] = sorted(summed)
    if settings.follow_up_when:
        said["follow_up_when"] = [each.model_dump() for each in settings.follow_up_when]
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def campaign_intent(event: Event, choices: Choices, now: datetime) -> Intent:
    """The campaign that an event is to be, with the statuses that its members need.

    Args:
        event: the event.
        choices: the account's.
        now: when this is wanted, UTC; what is wanted later replaces it.
    """
    settings = choices.settings
    starts, ends = written(event.starts_on), written(event.ends_on)
    further = choices.campaigns.apply(event.columns)
    if settings.campaign_status:
        further = {"Status": status_on(now.date(), starts, ends), **further}
    fields: dict[str, Any] = {
        "event_id": event.event_id,
        "campaign_id": choices.links.get(event.event_id),
        "external_id_field": settings.external_id_field,
        "create": settings.create_campaigns,
        "campaign": {
            "Name": trimmed(seen(event.name), NAME_CHARS) or f"Event {event.event_id}",
            "Description": f"Webinar platform: event {event.event_id}",
            "Type": settings.campaign_type,
            "StartDate": starts,
            "EndDate": ends,
            "IsActive": True,
            **further,
        },
        "statuses": [
            {"Label": status.label, "HasResponded": status.has_responded}
            for status in choices.statuses.values()
        ],
        "unknown_status": settings.unknown_status,
    }
    if further:
        fields["follows"] = sorted(further)
    if settings.keep_campaigns == "never":
        fields["keep"] = False
    return Intent(f"campaign:{event.event_id}", "campaign", None, now, fields)


def member_key(event_id: int, person_key: int) -> str:
    """The natural key of a person's membership in an event's campaign."""
    return f"member:{event_id}:{person_key}"


def memberships(
    participations: Iterable[Participation], choices: Choices, people: Mapping[Who, int]
) -> dict[str, MemberRow | None]:
    """Returns the membership that each row tells of now.

    None: of none, since its address is filtered out or is none, where the account has what such
    rows brought deleted; else they leave things as they are, and are not there.
    """
    told: dict[str, MemberRow | None] = {}
    for participation in participations:
        reason = rejection(participation, choices.filter_strings)
        if reason is None:
            key = member_key(participation.columns["event_id"], people[who(participation)])
            attended = word_of(participation, choices.words) == "attended"
            told[row_key(participation)] = MemberRow(key, participation.event_session_id, attended)
        elif choices.vanished == "delete" and reason != participation.flaw:
            told[row_key(participation)] = None
    return told


def session_ends(rows: Iterable[Participation], timezone: str) -> dict[int, datetime]:
    """When the sessions of rows end, as far as the warehouse says (`session_ends_at`)."""
    said = {row.event_session_id: row.columns.get("session_ends_at") for row in rows}
    ends = {
        session: moment(value, timezone) for session, value in said.items() if value is not None
    }
    return {session: at for session, at in ends.items() if at is not None}


def member_intents(
    participations: Iterable[Participation],
    choices: Choices,
    people: Mapping[Who, int],
    known: Mapping[str, Said],
    told: Mapping[str, MemberRow | None] | None = None,
) -> list[Intent]:
    """One membership for each person and event: one stage, sums, the newest values.

    A person registers for and attends several sessions of one event, and the rows come in any
    order over many cycles; hence what was said before is taken into account. A membership of which
    a row told before that tells of another one now goes by the rows that it still has.

    Args:
        participations: rows of registrations or attendances.
        choices: the account's.
        people: the person of each row that is to be sent (`sources.people.sightings`).
        known: what was said last, by natural key.
        told: of which membership each row tells now (`memberships`), and those that vanished.
    """
    said: defaultdict[tuple[int, int], list[Participation]] = defaultdict(list)
    for participation in participations:
        if rejection(participation, choices.filter_strings) is None:
            said[participation.columns["event_id"], people[who(participation)]].append(
                participation
            )
    lost: dict[tuple[int, int], set[str]] = {}
    for key, before in known.items():
        rows = stages.remembered(before).rows & (told or {}).keys()
        tells = {row: (told or {})[row] for row in rows}
        if left := {row for row, now in tells.items() if now is None or now.natural_key != key}:
            lost[before.intent["event_id"], int(key.rpartition(":")[2])] = left
    return [
        _member(
            event_id,
            person,
            said.get((event_id, person), []),
            lost=lost.get((event_id, person), set()),
            choices=choices,
            known=known.get(member_key(event_id, person)),
        )
        for event_id, person in dict.fromkeys((*said, *lost))
    ]


def derived_again(known: Mapping[str, Said], choices: Choices) -> list[Intent]:
    """Memberships as they are now that other sessions are over, though no row is new."""
    return [
        _member(
            said.intent["event_id"],
            int(key.rpartition(":")[2]),
            [],
            lost=(),
            choices=choices,
            known=said,
        )
        for key, said in known.items()
    ]


def inherited(former: Said, known: Said | None, person_key: int, choices: Choices) -> Intent:
    """The membership of whoever stands for an absorbed person: what both of them have said.

    Args:
        former: of the absorbed person.
        known: of the one who stands for that one now, where there is one.
        person_key: of this one.
        choices: the account's.
    """
    saids = sorted(filter(None, (former, known)), key=lambda each: each.as_of)
    parts: defaultdict[str, dict[str, float]] = defaultdict(dict)
    fields: dict[str, Any] = {}
    for said in saids:
        fields |= said.intent.get("fields", {})
        for column, summands in said.intent.get("parts", {}).items():
            parts[column] |= summands
    both = Said(
        saids[-1].as_of,
        {**saids[-1].intent, "fields": fields, "parts": dict(parts)},
        stages.remembered(known).joined(stages.remembered(former)).memory,
    )
    event_id = former.intent["event_id"]
    return _member(event_id, person_key, [], lost=(), choices=choices, known=both)


def makes_nobody(member: Intent, choices: Choices) -> bool:
    """Returns whether a membership is of somebody of whom, for its event, no record is made."""
    if member.rejected_because is not None:
        return False
    said = stages.remembered(Said(member.as_of, member.fields, member.memory)).stages()
    return bool(said) and choices.people_from_none(said)


def refused(member: Intent) -> Intent:
    """Returns a membership of somebody who is in the org, as far as is known, not at all."""
    return replace(member, rejected_because=NOBODY)


def _member(
    event_id: int,
    person_key: int,
    rows: list[Participation],
    *,
    lost: Collection[str],
    choices: Choices,
    known: Said | None,
) -> Intent:
    members = choices.members
    rows.sort(key=lambda row: (row.changed_at, row.participation_id))
    as_of = rows[-1].changed_at if rows else NEVER
    fields: dict[str, Any] = {}
    for row in rows:
        fields.update(members.apply(row.columns))
    before = known.intent.get("parts", {}) if known else {}
    mapped_columns = members.sources.values()
    parts = sums.parts_of(rows, mapped_columns, sums.without(before, lost), members.timezone)
    told = stages.told(
        rows,
        choices.words,
        stages.remembered(known).without(lost),
        choices.settings.wants_follow_up,
    )
    if known is not None:
        mapped = members.sources.keys() | members.constants.keys()
        said = {f: v for f, v in known.intent.get("fields", {}).items() if f in mapped}
        fields = fields | said if known.as_of > as_of else said | fields
        as_of = max(as_of, known.as_of)
    for field, column in members.sources.items():
        if column in sums.SUMMED:
            fields.pop(field, None)
            value = sums.value_of(column, parts[column], told) if column in parts else None
            if value is not None:
                fields[field] = value
    is_over = bool(lost) and not told.rows and told.before is None
    stage, reason = _stage(told, choices, known, stays=is_over)
    undoes = is_over and choices.vanished == "delete"
    if undoes:
        stage, reason = None, NO_ROW
    if event_id is None:
        reason = NO_EVENT
    elif reason is None and not choices.has_campaign(event_id):
        reason = NOT_LINKED
    wanted = {
        "event_id": event_id,
        "link": choices.links.get(event_id),
        "stage": stage,
        "Status": stage and choices.statuses[stage].label,
        "fields": fields,
        "parts": parts,
    }
    key = member_key(event_id, person_key)
    return Intent(key, "member", person_key, as_of, wanted, reason, told.memory, undoes)


def _stage(
    told: stages.Told, choices: Choices, known: Said | None, *, stays: bool
) -> tuple[Stage | None, str | None]:
    """The stage that is sent of a member, or why none is.

    Where the account sends none of the sessions' stages, the one that was sent last stays. A
    member who has neither registered nor attended any more is as good as registered, unless
    it is the rows that are gone: then it `stays`, too.
    """
    sent = list(choices.statuses)
    # No-shows are derived only where they are sent.
    over = choices.over if "no_show" in sent else frozenset()
    there = told.stages(
        over,
        with_recordings="attended_on_demand" in sent,
        least_minutes=choices.words.least_minutes,
        reregistration=choices.settings.reregistration,
    )
    if "substituted" not in sent:
        there = ["cancelled" if stage == "substituted" else stage for stage in there]
    if (stage := stages.one_stage(there, sent)) is not None:
        return stage, None
    if known is not None and known.was_sent and known.intent.get("stage") in sent:
        is_kept = stays or there or told.unknown
        return (known.intent["stage"] if is_kept else "registered"), None
    if told.words or told.before is not None:
        return None, NO_STATUS
    return None, UNKNOWN_WORD.format(min(told.unknown.values())) if told.unknown else ABSENT
