"""The rules of campaigns: which campaign, which status, what of it is new. Pure (spec 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from crm_pipeline.accounts.account import Vanished
from crm_pipeline.accounts.campaigns import CampaignSettings, MemberStatus
from crm_pipeline.accounts.stages import STAGES_OF_PEOPLE, Stage, Words
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.campaigns import stages, sums
from crm_pipeline.flows.campaigns.stages import row_key
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.member_rows import MemberRow
from crm_pipeline.ledger.parts import UNSAID
from crm_pipeline.ledger.people import Who
from crm_pipeline.sources.extracts import moment
from crm_pipeline.sources.mapping import FieldMap, field_map, rejection
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import who
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.sources.stages import is_too_short, word_of
from crm_pipeline.text import written

MEMBER, CAMPAIGN = "CampaignMember", "Campaign"

RULES = 4
"""Of the stages; members that other rules made are read again."""

NOT_LINKED = "no campaign is linked to the event"
NO_EVENT = "no event_id"
NO_STATUS = "the account sends no status for this stage"
UNKNOWN_WORD = "nobody has said what the status {!r} means: name its stage in stage_of"
NOBODY = "the org is not known to have this person, and nobody is made of this stage"
ABSENT = "neither registered nor attended"
NO_END = datetime(9999, 12, 31, tzinfo=UTC)
"""When a session ends of which that is not known, or known no more: none of its people is a
no-show."""

NO_ROW = "no registration or attendance is left"


@dataclass(frozen=True, slots=True)
class Choices:
    """The account's choices that its memberships depend on.

    Attributes:
        settings: its campaign settings.
        members: what it fills further fields of CampaignMember with.
        links: campaigns that people named, by key (`ledger.campaign_keys`).
        linked: keys of which there is a campaign, however they came by it.
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
    links: Mapping[str, str]
    linked: Set[str] = frozenset()
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

    def has_campaign(self, key: str) -> bool:
        """Returns whether a campaign is linked, or will be found or made."""
        own = self.settings.external_id_field is not None or self.settings.create_campaigns
        return own or key in self.links or key in self.linked

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
    if settings.grain != "event":
        said["grain"] = settings.grain
    if settings.series_parent is not None:
        said["series_parent"] = settings.series_parent
    if not settings.reregistration:
        said["reregistration"] = False
    if words.least_minutes > 1:
        said["least_minutes"] = words.least_minutes
    if words.early_visits_count:
        said["early_visits_count"] = True
    if summed := sums.SUMMED.intersection(members.needed) - sums.SINCE_LONG:
        said["summed"] = sorted(summed)
    if settings.follow_up_when:
        said["follow_up_when"] = [each.model_dump() for each in settings.follow_up_when]
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def member_key(campaign_key: str, person_key: int) -> str:
    """The natural key of a person's membership in a campaign (`ledger.campaign_keys`)."""
    return f"member:{campaign_key}:{person_key}"


def memberships(
    participations: Iterable[Participation], choices: Choices, people: Mapping[Who, int]
) -> dict[str, MemberRow | None]:
    """Returns the memberships that each row tells of now: of its event, its session, or both.

    None: of none, since its address is filtered out or is none, where the account has what such
    rows brought deleted; else they leave things as they are, and are not there.
    """
    told: dict[str, MemberRow | None] = {}
    for participation in participations:
        reason = rejection(participation, choices.filter_strings)
        if reason is None:
            of_event, of_session = (
                None if key is None else member_key(key, people[who(participation)])
                for key in _campaigns_of(participation, choices.settings)
            )
            attended = word_of(participation, choices.words) == "attended" and not is_too_short(
                participation, choices.words
            )
            session = participation.event_session_id
            told[row_key(participation)] = MemberRow(of_event, session, attended, of_session)
        elif choices.vanished == "delete" and reason != participation.spoilt:
            told[row_key(participation)] = None
    return told


def _campaigns_of(row: Participation, chosen: CampaignSettings) -> tuple[str | None, str | None]:
    """The keys of the campaigns that a row is about: its event's and its session's."""
    return (
        str(row.columns["event_id"]) if chosen.of_events else None,
        campaign_keys.of_session(row.event_session_id) if chosen.of_sessions else None,
    )


def brief_visits(
    participations: Iterable[Participation],
    told: Mapping[str, MemberRow | None],
    known: Mapping[str, Said],
    choices: Choices,
) -> dict[str, bool]:
    """Returns of visits that are too short by themselves whether they are enough together.

    By row, those of the people of rows alone, with the visits that are remembered of them.

    Args:
        participations: rows that were just read.
        told: of which membership each row tells now, and those that vanished.
        known: what was said last, by natural key.
        choices: the account's.
    """
    read: defaultdict[str, list[Participation]] = defaultdict(list)
    for row in participations:
        now = told.get(row_key(row))
        if now is not None and is_too_short(row, choices.words):
            for key in now.keys:
                read[key].append(row)
    enough: dict[str, bool] = {}
    for key in {*read, *(key for key, said in known.items() if (said.memory or {}).get("brief"))}:
        left = {row for row, now in told.items() if now is None or key not in now.keys}
        before = stages.remembered(known.get(key)).without(left)
        visits = stages.told(read[key], choices.words, before)
        short = visits.too_brief(choices.words.least_minutes)
        enough |= {row: row not in short for row in visits.brief if row in visits.words}
    return enough


def with_former(told: MemberRow | None, before: MemberRow | None) -> MemberRow | None:
    """Returns what a row tells of, with what it told of before under a `grain` that is past.

    The campaigns of that time stay as they are, but for rows that vanish.
    """
    if told is None or before is None:
        return told
    return told._replace(
        natural_key=told.natural_key or before.natural_key,
        of_session=told.of_session or before.of_session,
    )


def session_ends(rows: Iterable[Participation], timezone: str) -> dict[int, datetime]:
    """When the sessions of rows end, where the warehouse tells such things (`session_ends_at`)."""
    said = {
        row.event_session_id: row.columns["session_ends_at"]
        for row in rows
        if "session_ends_at" in row.columns
    }
    return {session: _end(value, timezone) or NO_END for session, value in said.items()}


def _end(value: Any, timezone: str) -> datetime | None:
    at = moment(value, timezone)
    # A day alone is not over when it begins.
    return at + timedelta(days=1) if at is not None and ":" not in written(value) else at


def member_intents(
    participations: Iterable[Participation],
    choices: Choices,
    people: Mapping[Who, int],
    known: Mapping[str, Said],
    told: Mapping[str, MemberRow | None] | None = None,
) -> list[Intent]:
    """One membership for each person and campaign: one stage, sums, the newest values.

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
    said: defaultdict[tuple[str, int], list[Participation]] = defaultdict(list)
    for participation in participations:
        if rejection(participation, choices.filter_strings) is None:
            for campaign in _campaigns_of(participation, choices.settings):
                if campaign is not None:
                    said[campaign, people[who(participation)]].append(participation)
    lost: dict[tuple[str, int], set[str]] = {}
    for key, before in known.items():
        remembered = stages.remembered(before)
        rows = (remembered.rows | remembered.absent.keys()) & (told or {}).keys()
        tells = {row: (told or {})[row] for row in rows}
        if left := {row for row, now in tells.items() if now is None or key not in now.keys}:
            lost[campaign_keys.key_of(before.intent), person_of(key)] = left
    return [
        _member(
            campaign,
            person,
            said.get((campaign, person), []),
            lost=lost.get((campaign, person), set()),
            choices=choices,
            known=known.get(member_key(campaign, person)),
        )
        for campaign, person in dict.fromkeys((*said, *lost))
    ]


def person_of(natural_key: str) -> int:
    """The person key of whoever a membership is of, by its natural key."""
    return int(natural_key.rpartition(":")[2])


def derived_again(known: Mapping[str, Said], choices: Choices) -> list[Intent]:
    """Memberships as they are now that other sessions are over, though no row is new."""
    return [
        _member(
            campaign_keys.key_of(said.intent),
            person_of(key),
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
    campaign = campaign_keys.key_of(former.intent)
    return _member(campaign, person_key, [], lost=(), choices=choices, known=both)


def makes_nobody(member: Intent, choices: Choices) -> bool:
    """Returns whether a membership is of somebody of whom, for its event, no record is made."""
    if member.rejected_because is not None:
        return False
    told = stages.remembered(Said(member.as_of, member.fields, member.memory))
    said = [*told.of_sessions().values(), *([told.before] if told.before else [])]
    return bool(said) and choices.people_from_none(said)


def refused(member: Intent) -> Intent:
    """Returns a membership of somebody who is in the org, as far as is known, not at all."""
    return replace(member, rejected_because=NOBODY)


def _member(
    campaign: str,
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
    counted = [
        sums.nothing_of(row) if word_of(row, choices.words) == "absent" else row for row in rows
    ]
    parts = sums.parts_of(counted, members.needed, sums.without(before, lost), members.timezone)
    told = stages.told(
        rows,
        choices.words,
        stages.remembered(known).without(lost),
        choices.settings.wants_follow_up,
    )
    if known is not None:
        mapped = members.sources.keys() | members.constants.keys()
        mapped -= {*known.intent.get(UNSAID, ())}
        said = {f: v for f, v in known.intent.get("fields", {}).items() if f in mapped}
        fields = fields | said if known.as_of > as_of else said | fields
        as_of = max(as_of, known.as_of)
    summed = {column: sums.value_of(column, each, told) for column, each in parts.items()}
    for field in members.sources:
        columns = members.columns_of(field)
        if sums.SUMMED.issuperset(columns):
            fields.pop(field, None)
            template = members.templates.get(field)
            value = template.value(summed) if template else summed.get(columns[0])
            if value is not None:
                fields[field] = value
    unsaid = [field for field in members.fallbacks if field not in fields]
    fields |= {field: members.fallbacks[field] for field in unsaid}
    says_nothing = told.says_nothing(choices.words.least_minutes)
    stage, reason = _stage(told, choices, known, stays=bool(lost) and says_nothing)
    undoes = known is not None and says_nothing and choices.vanished == "delete"
    if undoes:
        stage, reason = None, NO_ROW
    event_id = rows[-1].columns["event_id"] if rows else known and known.intent["event_id"]
    if event_id is None:
        reason = NO_EVENT
    elif reason is None and not choices.has_campaign(campaign):
        reason = NOT_LINKED
    about = {} if campaign == str(event_id) else {"campaign_key": campaign}
    wanted = {
        "event_id": event_id,
        **about,
        "link": choices.links.get(campaign),
        "stage": stage,
        "Status": stage and choices.statuses[stage].label,
        "fields": fields,
        "parts": parts,
    }
    if unsaid:
        wanted[UNSAID] = unsaid
    key = member_key(campaign, person_key)
    return Intent(key, "member", person_key, as_of, wanted, reason, told.memory, undoes)


def stages_there(told: stages.Told, choices: Choices) -> dict[int, Stage]:
    """Returns the stage of each session, as the account's choices have it."""
    sent = choices.statuses
    return told.of_sessions(
        # No-shows are derived only where they are sent.
        choices.over if "no_show" in sent else (),
        with_recordings="attended_on_demand" in sent,
        least_minutes=choices.words.least_minutes,
        reregistration=choices.settings.reregistration,
    )


def _stage(
    told: stages.Told, choices: Choices, known: Said | None, *, stays: bool
) -> tuple[Stage | None, str | None]:
    """The stage that is sent of a member, or why none is.

    Where the account sends none of the sessions' stages, the one that was sent last stays. A
    member who has neither registered nor attended any more is as good as registered, unless
    it is the rows that are gone: then it `stays`, too.
    """
    sent = list(choices.statuses)
    there = list(stages_there(told, choices).values())
    if told.before is not None:
        there.append(told.before)
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
