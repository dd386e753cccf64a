"""Members of campaigns: each person once, with the status that the source gives them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from crm_pipeline.delivery.campaign_search import STATUS
from crm_pipeline.delivery.campaigns import is_there, status_creation
from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import CAMPAIGN, MEMBER
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER, record_failures, record_unchanged
from crm_pipeline.delivery.replacing import LAST_TOUCHED
from crm_pipeline.delivery.sending import Dispatch
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.campaigns import (
    DueMember,
    GoneMember,
    campaigns_are_ready,
    conversions_since,
    due_gone_members,
    due_member_volume,
    due_members,
    note_conversions,
    note_members,
    operations_of_campaigns,
    reopen_links,
    reopen_moved_members,
    wanted_statuses,
)
from crm_pipeline.ledger.copies import what_copy_knows
from crm_pipeline.ledger.outcomes import FOUND_AFTER_LOST_ANSWER, Failed
from crm_pipeline.salesforce.composite import Record, SubAnswer, Subrequest, composite, query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.matching import converted_since
from crm_pipeline.salesforce.soql import packed_in_queries, quote, select

WHILE_BUSY, WHILE_IDLE = timedelta(hours=1), timedelta(days=1)
"""How often conversions are looked for: where the cycle speaks to the org anyway, and else."""

CAMPAIGNS_NAMED = 500
"""Of so many campaigns at most, a query names them; of more it reads all of a person's."""

RIDES = 20
"""Statuses that are created in the call that asks for members (beside its five queries)."""

_READ = ("Id", "CampaignId", "LeadId", "ContactId", "Status", "HasResponded")
_MADE_BY = "CreatedById"
_WRITTEN_AT, _WRITTEN_BY = LAST_TOUCHED

Memberships = Mapping[tuple[str, str], Sequence[Record]]
"""The org's members, by campaign and Lead or Contact."""


Ladder = Sequence[Mapping[str, Any]]
"""The statuses that a campaign's members may have (Label, HasResponded), the highest last."""


def send_members(desk: Desk) -> None:
    """Sends every pending membership whose person is in the org and whose campaign is linked.

    The members that a campaign has already are read first, so that nobody is in it twice,
    whatever became of an answer, and so that a status of people's stays where it means more.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    ledger = desk.ledger
    with ledger.step() as connection:
        _notice_conversions(desk)
        reopen_moved_members(connection, ledger.account_id)
    volume = due_member_volume(ledger.connection, ledger.account_id)
    dispatch = Dispatch(desk, "campaign members", {(CAMPAIGN_MEMBER, "create"): volume})
    for due in windows(ledger, due_members):
        schema = desk.schemas.describe([CAMPAIGN_MEMBER])[CAMPAIGN_MEMBER]
        there, ready = _read_members(desk, due, schema)
        ladders = wanted_statuses(
            ledger.connection, ledger.account_id, {member.campaign_key for member in due}
        )
        forgotten = _forgotten(desk)
        sent: set[tuple[str, str]] = set()
        decisions: list[Decision] = []
        for member in due:
            key = (member.campaign_id, member.person_id)
            if key in sent:
                # Another address of the same person, or another event of the same campaign.
                desk.passes.another = True
            elif member.campaign_id in ready:
                sent.add(key)
                rows, ladder = _rows_of(member, there), ladders[member.campaign_key]
                decisions.append(decide_member(member, rows, ladder, schema, forgotten))
        unchanged = [decision for decision in decisions if decision.action == "none"]
        with ledger.step() as connection:
            record_unchanged(desk, unchanged)
            note_members(connection, [decision.operation_id for decision in unchanged])
        dispatch.add([decision for decision in decisions if decision.action != "none"])
    dispatch.flush()
    _take_back(desk, dispatch)


class Forgotten(NamedTuple):
    """What an older copy of the ledger may have forgotten.

    Attributes:
        us: our user: what it made may be ours.
        since: what it wrote later, by the org's clock, UTC; None: that is not known.
    """

    us: str
    since: datetime | None

    def status(self, row: Record, ladder: Ladder) -> bool:
        """Returns whether we may have given a membership its status, one of the ladder's, since."""
        return (
            self.since is not None
            and row[_WRITTEN_BY] == self.us
            and datetime.fromisoformat(row[_WRITTEN_AT]) >= self.since
            and str(row["Status"]).casefold() in {str(e["Label"]).casefold() for e in ladder}
        )


def _forgotten(desk: Desk) -> Forgotten | None:
    if not desk.may_be_older_copy:
        return None
    known = what_copy_knows(desk.ledger.connection, desk.ledger.account_id)
    return Forgotten(desk.org.log_in().user_id, known.known_until)


def _take_back(desk: Desk, dispatch: Dispatch) -> None:
    """Deletes the memberships that are to be gone, where we made them; others stay as they are.

    They go last, so that none is deleted which somebody else was just found to have, too.
    """
    for due in windows(desk.ledger, due_gone_members):
        there = _read_members_of(desk, [each for each in due if each.is_ours])
        decisions = [decide_gone_member(each, there) for each in due]
        staying = [decision for decision in decisions if decision.action == "none"]
        with desk.ledger.step() as connection:
            record_unchanged(desk, staying)
            note_members(connection, [decision.operation_id for decision in staying])
        dispatch.add([decision for decision in decisions if decision.action == "delete"])
    dispatch.flush()


def _read_members_of(desk: Desk, ours: Sequence[GoneMember]) -> Memberships:
    """Returns the memberships of these people in these campaigns."""
    ids: dict[str, dict[str, None]] = {"LeadId": {}, "ContactId": {}}
    for person_id in {p for each in ours for p in (each.person_id, each.former_person_id) if p}:
        ids["LeadId" if person_id.startswith("00Q") else "ContactId"][person_id] = None
    campaigns = sorted({each.campaign_id for each in ours if each.campaign_id})
    where = ""
    if len(campaigns) <= CAMPAIGNS_NAMED:
        where = f"CampaignId IN ({','.join(map(quote, campaigns))})"
    queries = [
        query
        for field, named in ids.items()
        for query in packed_in_queries(_READ, CAMPAIGN_MEMBER, field, named, where)
    ]
    if not queries:
        return {}
    desk.allowance.demand_calls()
    pages = query_all(desk.org.log_in(), queries).records
    return _by_person([record for page in pages for record in page])


def decide_gone_member(member: GoneMember, there: Memberships) -> Decision:
    """The deletion of a membership that we made, or nothing."""
    rows = [
        row
        for person_id in (member.person_id, member.former_person_id)
        if member.is_ours and member.campaign_id and person_id
        for row in there.get((member.campaign_id, person_id), ())
    ]
    return Decision(
        member.operation_id,
        "delete" if rows else "none",
        CAMPAIGN_MEMBER,
        rows[0]["Id"] if rows else None,
        {},
        member.reason,
        altered=True,
        kind=MEMBER,
    )


def _notice_conversions(desk: Desk) -> None:
    """Asks which leads were converted: their memberships are to move even if nothing new comes.

    Salesforce tells nobody, and to ask costs a call: once an hour, of an org that is spoken to
    anyway, else once a day.
    """
    ledger = desk.ledger
    pause = WHILE_BUSY if desk.allowance.api_calls else WHILE_IDLE
    since = conversions_since(ledger.connection, ledger.account_id, pause)
    if since is not None:
        desk.allowance.demand_calls()
        contact_of = converted_since(desk.org.log_in(), since)
        if note_conversions(ledger.connection, ledger.account_id, contact_of):
            desk.passes.another = True


def decide_member(
    member: DueMember,
    rows: Sequence[Record],
    ladder: Ladder,
    schema: SObjectSchema,
    forgotten: Forgotten | None = None,
) -> Decision:
    """A new member, or what of the one that is there is to change.

    A status that we gave gives way to what the source says now. One that people gave stays where
    it is the higher one of the ladder; where it is not on it, it gives way unless it means that
    the person has responded and the new one does not.

    Args:
        member: what is wanted.
        rows: the person's memberships in the campaign; more than one where a lead's and a
            contact's are there.
        ladder: the campaign's, as the flow wants it.
        schema: of CampaignMember.
        forgotten: by a ledger that may be an older copy.
    """
    custom = dict(member.intent["fields"])
    if not rows:
        fitted = schema.fit(custom, "create")
        whose = "ContactId" if member.person_sobject == "Contact" else "LeadId"
        fields = {
            **fitted.fields,
            "CampaignId": member.campaign_id,
            whose: member.person_id,
            "Status": member.intent["Status"],
        }
        return Decision(
            member.operation_id,
            "create",
            CAMPAIGN_MEMBER,
            None,
            fields,
            "new",
            fitted.changes,
            kind=MEMBER,
        )
    kept = next(
        (row for row in rows if member.person_id in (row["ContactId"], row["LeadId"])), rows[0]
    )
    fitted = schema.fit(custom, "update")
    changed = {f: value for f, value in fitted.fields.items() if kept.get(f) != value}
    ours = [row["Status"] for row in rows if forgotten and forgotten.status(row, ladder)]
    former = [*member.former_statuses, *ours]
    status = furthest_status(member.intent["Status"], rows, ladder, former)
    if status.casefold() != str(kept["Status"]).casefold():
        changed["Status"] = status
    return Decision(
        member.operation_id,
        "update" if changed else "none",
        CAMPAIGN_MEMBER,
        kept["Id"],
        changed,
        FOUND_AFTER_LOST_ANSWER
        if member.is_unanswered or (forgotten is not None and kept.get(_MADE_BY) == forgotten.us)
        else "already a member",
        [change for change in fitted.changes if change.new is None or change.field in changed],
        replaces=kept,
        kind=MEMBER,
    )


def furthest_status(
    wanted: str, rows: Sequence[Record], ladder: Ladder, former: Iterable[str]
) -> str:
    """Returns the status to keep, of the wanted one and those that people gave to memberships.

    `former` are those that we gave, or may have given: they have no say.
    """
    given = {each.casefold() for each in former}
    ours = {each["Label"].casefold(): place for place, each in enumerate(ladder)}
    best = wanted
    for row in rows:
        label = str(row["Status"])
        if label.casefold() in given:
            continue
        now, known = ours.get(best.casefold()), ours.get(label.casefold())
        if known is not None and now is not None:
            further = known > now
        else:
            has_responded = now is not None and ladder[now]["HasResponded"]
            further = known is None and row["HasResponded"] and not has_responded
        if further:
            best = label
    return best


def _rows_of(member: DueMember, there: Memberships) -> list[Record]:
    """The person's memberships in the campaign, each once."""
    found = {
        row["Id"]: row
        for person_id in (member.person_id, member.former_person_id)
        if person_id is not None
        for row in there.get((member.campaign_id, person_id), ())
    }
    return list(found.values())


def _read_members(
    desk: Desk, due: Sequence[DueMember], schema: SObjectSchema
) -> tuple[Memberships, set[str]]:
    """The memberships that are there, and the campaigns that have all their statuses.

    Statuses that are to be created ride in the same call. So does, where there is room, a look at
    those that should be there: of one that people took away since, Salesforce would silently
    store the campaign's default instead.
    """
    custom = {field for member in due for field in member.intent["fields"]}
    beside = (*LAST_TOUCHED, *([_MADE_BY] if desk.may_be_older_copy else []))
    fields = list(dict.fromkeys((*_READ, *beside, *schema.readable(sorted(custom)))))
    campaigns = sorted({member.campaign_id for member in due if not member.is_new})
    where = ""
    if len(campaigns) <= CAMPAIGNS_NAMED:
        where = f"CampaignId IN ({','.join(map(quote, campaigns))})"
    asked = [member for member in due if not member.is_new]
    people: dict[str, dict[str, None]] = {"LeadId": {}, "ContactId": {}}
    for member in asked:
        people[f"{member.person_sobject}Id"][member.person_id] = None
        if member.former_person_id is not None and member.former_person_id.startswith("00Q"):
            people["LeadId"][member.former_person_id] = None
    queries = [
        query
        for field, ids in people.items()
        for query in packed_in_queries(fields, CAMPAIGN_MEMBER, field, ids, where)
    ]
    room = where and len(queries) % COMPOSITE_QUERIES_OR_COLLECTIONS
    if room:
        queries.append(select(("CampaignId", "Label"), STATUS, where))
    missing = {member.campaign_id: member.missing_statuses for member in due}
    rides = [
        (campaign_id, status_creation(f"s{place}_{number}", campaign_id, status))
        for place, (campaign_id, statuses) in enumerate(missing.items())
        for number, status in enumerate(statuses)
    ]
    records: list[Record] = []
    lacking: set[str] = set()
    answers: list[tuple[str, SubAnswer]] = []
    if queries or rides:
        desk.allowance.demand_calls()
    if queries:
        first = rides[:RIDES]
        result = query_all(
            desk.org.log_in(),
            queries,
            also=[ride for _, ride in first],
            parallel=desk.chosen.parallel_requests,
        )
        pages = result.records
        lacking = _lacking(asked, pages.pop()) if room else set()
        records = [record for page in pages for record in page]
        answers += zip((campaign_id for campaign_id, _ in first), result.also, strict=True)
        rides = rides[RIDES:]
    answers += _create_statuses(desk, rides)
    if lacking:
        reopen_links(desk.ledger.connection, desk.ledger.account_id, lacking)
        desk.passes.another = True
    return _by_person(records), _ready(desk, missing.keys() - lacking, answers)


def _lacking(asked: Sequence[DueMember], statuses: Sequence[Record]) -> set[str]:
    """The campaigns that have lost a status which one of their members is to get."""
    there = {(each["CampaignId"], each["Label"].casefold()) for each in statuses}
    return {
        member.campaign_id
        for member in asked
        for label in [member.intent["Status"].casefold()]
        if (member.campaign_id, label) not in there
        and label not in {each["Label"].casefold() for each in member.missing_statuses}
    }


def _create_statuses(
    desk: Desk, rides: Sequence[tuple[str, Subrequest]]
) -> list[tuple[str, SubAnswer]]:
    answers: list[tuple[str, SubAnswer]] = []
    for start in range(0, len(rides), COMPOSITE_SUBREQUESTS):
        part = rides[start : start + COMPOSITE_SUBREQUESTS]
        told = composite(desk.org.log_in(), [ride for _, ride in part])
        answers += zip((campaign_id for campaign_id, _ in part), told, strict=True)
    return answers


def _by_person(records: Sequence[Record]) -> Memberships:
    there: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        for field in ("LeadId", "ContactId"):
            if record[field] is not None:
                there.setdefault((record["CampaignId"], record[field]), []).append(record)
    return there


def _ready(desk: Desk, campaigns: set[str], answers: Sequence[tuple[str, SubAnswer]]) -> set[str]:
    """Campaigns that may have members now; those that refused a status are failed."""
    refused: dict[str, tuple[str, str]] = {}
    for campaign_id, answer in answers:
        if not is_there(answer) and answer.error is not None:
            refused[campaign_id] = answer.error
    ready = campaigns - refused.keys()
    with desk.ledger.step() as connection:
        if refused:
            linked = operations_of_campaigns(connection, desk.ledger.account_id, list(refused))
            failed = [Failed(ref, *refused[each]) for ref, each in linked.items()]
            record_failures(desk, CAMPAIGN.name, failed)
        campaigns_are_ready(connection, desk.ledger.account_id, ready)
    return ready
