"""Campaigns: which one each event is, found by Id or external id, or created, with its statuses."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.follow import Follower, changes, follow, followed
from crm_pipeline.delivery.kind import CAMPAIGN as CAMPAIGN_KIND
from crm_pipeline.delivery.kind import PASSING, Remedy, remedy
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER, note_changes, record_failures
from crm_pipeline.delivery.refusals import what_to_mend
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.campaigns import (
    DueCampaign,
    LinkedCampaign,
    due_campaigns,
    linked_campaigns,
    note_campaigns,
)
from crm_pipeline.ledger.incidents import Incident, note_incident
from crm_pipeline.ledger.outcomes import (
    Done,
    Failed,
    Planned,
    back_to_pending,
    mark_in_flight,
    record_done,
)
from crm_pipeline.salesforce.answers import error_of
from crm_pipeline.salesforce.composite import (
    QueryRefused,
    Record,
    SubAnswer,
    Subrequest,
    composite,
    query_all,
)
from crm_pipeline.salesforce.describe import Fitted
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    LostAnswer,
    SalesforceProblem,
    decide,
    problem_of,
)
from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.outcomes import RowError
from crm_pipeline.salesforce.soql import packed_in_queries, quote, select

CAMPAIGN, STATUS = "Campaign", "CampaignMemberStatus"

MARK = "Description"
"""The field of a new campaign that says of which event it is."""

_TOUCHED_BY = "LastModifiedById"

WINDOW = 1_000
"""Campaigns decided at a time."""

NEW_STATUSES_FROM = 10
"""SortOrder of our first status in a new campaign: Salesforce makes two of its own there."""

ALREADY = "DUPLICATE_VALUE"
"""Salesforce says so of a status whose label a campaign has already: then it is there."""


class SearchKey(NamedTuple):
    """A field and its value, by which a campaign is sought; of two with one name, by their mark."""

    field: str
    value: str
    mark: str | None = None


class FoundCampaign(NamedTuple):
    """A campaign of the org and its statuses."""

    campaign_id: str
    statuses: Sequence[Record]
    record: Record


def link_campaigns(desk: Desk) -> None:
    """Finds or creates the campaign of every event that has none yet or wants another.

    An event that cannot be linked is an incident: nothing of it is sent before a person has
    mended it, and it costs no attempt.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    for due in windows(desk.ledger, due_campaigns, limit=WINDOW):
        found = _seek(desk, due)
        new: list[DueCampaign] = []
        later = follow(desk, _followers(desk, due, found))
        locked = {each.operation_id for each in later}
        with desk.ledger.step():
            record_failures(desk, CAMPAIGN_KIND.name, later)
            for each in due:
                match = found.get(each.operation_id)
                if each.operation_id in locked:
                    continue
                if match is not None:
                    _link(desk, each, match)
                elif _is_known(each) or not each.intent["create"]:
                    _refuse(desk, each, *_not_found(each))
                else:
                    new.append(each)
        statuses = max((len(each.intent["statuses"]) for each in new), default=0)
        at_once = COMPOSITE_SUBREQUESTS // (1 + statuses)
        for start in range(0, len(new), at_once):
            _create(desk, new[start : start + at_once])


def _is_known(each: DueCampaign) -> bool:
    """Returns whether there was a campaign: one deleted or linked wrongly is not created anew."""
    return each.intent["campaign_id"] is not None or each.campaign_id is not None


def missing_statuses(
    wanted: Iterable[Mapping[str, Any]], there: Sequence[Record]
) -> list[dict[str, Any]]:
    """The statuses that a campaign lacks, with places after those that it has."""
    labels = {str(each["Label"]).casefold() for each in there}
    last = max((int(each["SortOrder"] or 0) for each in there), default=NEW_STATUSES_FROM)
    lacking = [each for each in wanted if each["Label"].casefold() not in labels]
    return [{**each, "SortOrder": last + place} for place, each in enumerate(lacking, start=1)]


def status_creation(reference: str, campaign_id: str, status: Mapping[str, Any]) -> Subrequest:
    """A subrequest that creates a status; one that is there already does no harm."""
    body = {"CampaignId": campaign_id, **status}
    return Subrequest(reference, "POST", f"sobjects/{STATUS}", body, "create")


def is_there(answer: SubAnswer) -> bool:
    """Returns whether a status is in the org after the attempt to create it."""
    return answer.error is None or answer.error[0] == ALREADY


def _not_found(each: DueCampaign) -> tuple[str, str]:
    """Returns why an event has no campaign: a code, and what to do."""
    remedy = f"name one: `crm-pipeline campaign link … {each.event_id} CAMPAIGN`"
    if each.intent["campaign_id"] is not None:
        return "NO_CAMPAIGN", (
            f"There is no campaign {each.intent['campaign_id']}, which event {each.event_id} is "
            f"linked to, or the user may not see it; restore it, or {remedy}"
        )
    if each.campaign_id is not None:
        return "CAMPAIGN_DELETED", (
            f"Campaign {each.campaign_id} of event {each.event_id} was deleted, or is hidden "
            f"from the user; restore it, or {remedy}"
        )
    return "NO_CAMPAIGN", (
        f"No campaign has {each.intent['external_id_field']} = {each.event_id} "
        f"(external_id_field), and create_campaigns is off; give one this key, or {remedy}"
    )


def _seek(desk: Desk, due: Sequence[DueCampaign]) -> dict[int, FoundCampaign]:
    """The campaigns that are in the org already, by operation; describes ride along."""
    keys = {each.operation_id: _search_keys(desk, each) for each in due}
    wanted = dict.fromkeys(itertools.chain.from_iterable(keys.values()))
    if not wanted:
        desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))
        return {}
    to_follow: list[str] = []
    if desk.may_be_older_copy or any(each.former for each in due):
        schema = desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))[CAMPAIGN]
        names = dict.fromkeys(field for each in due for field in followed(each.intent))
        to_follow = schema.readable(names)
    records, of_campaign = _ask(desk, wanted, to_follow)
    by_id = {record["Id"]: record for record in records}
    there: dict[SearchKey, dict[str, None]] = {}
    for record in records:
        for field in {key.field for key in wanted}:
            mark = record.get(MARK) if field == "Name" else None
            is_at = SearchKey(field, _sought(field, str(record.get(field))), mark)
            there.setdefault(is_at, {})[record["Id"]] = None
    _leave_others(desk, there, records)
    found = {}
    for operation_id, sought in keys.items():
        key = next((key for key in sought if there.get(key)), None)
        if key is not None:
            campaign_id = next(iter(there[key]))
            if key.field == "Name":
                del there[key][campaign_id]
            found[operation_id] = FoundCampaign(
                campaign_id, of_campaign.get(campaign_id, []), by_id[campaign_id]
            )
    return found


def _followers(
    desk: Desk, due: Sequence[DueCampaign], found: Mapping[int, FoundCampaign]
) -> list[Follower]:
    """The campaigns of these that bear our mark and are to follow their events."""
    followers = []
    for each in due:
        there = found.get(each.operation_id)
        if there is None or each.intent["campaign_id"] is not None:
            continue
        former = [_fit(desk, {"campaign": body}).fields for body in each.former]
        if desk.may_be_older_copy and not former and _is_touched_by_us_alone(desk, there.record):
            # Made since the copy, which knows nothing of how it was wanted then.
            former = [there.record]
        wanted = _fit(desk, each.intent).fields
        if there.record.get(MARK) != wanted.get(MARK):
            continue
        if fields := changes(wanted, former, there.record, followed(each.intent)):
            followers.append(Follower(each.operation_id, there.campaign_id, fields))
    return followers


def _is_touched_by_us_alone(desk: Desk, record: Record) -> bool:
    us = desk.org.log_in().user_id[:15]
    return all(str(record.get(by))[:15] == us for by in ("CreatedById", _TOUCHED_BY))


def _search_keys(desk: Desk, each: DueCampaign) -> list[SearchKey]:
    """Returns the keys by which to seek an event's campaign.

    By the Id that a person named, and nowhere else. Or by the external id, then by the Id known
    so far. Or, where the answer to a creation was lost, by what was sent.
    """
    intent = each.intent
    if intent["campaign_id"] is not None:
        return [SearchKey("Id", _sought("Id", intent["campaign_id"]))]
    keys = []
    if intent["external_id_field"]:
        keys.append(SearchKey(intent["external_id_field"], str(each.event_id)))
    if each.campaign_id is not None:
        keys.append(SearchKey("Id", _sought("Id", each.campaign_id)))
    if not keys and intent["create"]:
        made = [
            *each.sent,
            *([_fit(desk, each.intent).fields] if desk.may_be_older_copy else []),
        ]
        keys += [SearchKey("Name", body["Name"], body.get(MARK)) for body in made]
        if desk.may_be_older_copy and (mark := made[-1].get(MARK)) is not None:
            # Made since the copy, under a name that the event had then.
            keys.append(SearchKey(MARK, mark))
    return keys


def _leave_others(
    desk: Desk, there: Mapping[SearchKey, dict[str, None]], records: Sequence[Record]
) -> None:
    """Takes out campaigns without a mark that are another event's, or were made by others."""
    unmarked = [key for key in there if key.field == "Name" and key.mark is None]
    if unmarked:
        taken = linked_campaigns(desk.ledger.connection, desk.ledger.account_id)
        us = desk.org.log_in().user_id[:15]
        ours = {each["Id"] for each in records if each["CreatedById"][:15] == us} - taken
        for key in unmarked:
            for campaign_id in there[key].keys() - ours:
                del there[key][campaign_id]


def _sought(field: str, value: str) -> str:
    """An Id has 15 characters, and three more in its long form."""
    return value[:15] if field == "Id" else value


def _ask(
    desk: Desk, keys: Collection[SearchKey], to_follow: Collection[str]
) -> tuple[list[Record], dict[str, list[Record]]]:
    """The campaigns with these keys, and the statuses of each; `to_follow` are further fields."""
    desk.allowance.demand_calls()
    known = desk.schemas.known()
    undescribed = [name for name in (CAMPAIGN, CAMPAIGN_MEMBER) if name not in known]
    marked = [MARK] if to_follow or any(key.mark is not None for key in keys) else []
    made_by = ["CreatedById"] if any(key.field == "Name" for key in keys) else []
    if desk.may_be_older_copy:
        made_by = ["CreatedById", _TOUCHED_BY]
    sought = dict.fromkeys(("Id", *(key.field for key in keys)))
    fields = dict.fromkeys((*sought, *marked, *made_by, *to_follow))
    campaigns: list[str] = []
    statuses: list[str] = []
    for field in sought:
        values = dict.fromkeys(key.value for key in keys if key.field == field)
        campaigns += _at(desk, field, values, fields)
        statuses += [
            select(("CampaignId", "Label", "SortOrder"), STATUS, f"CampaignId IN ({inner})")
            for inner in _at(desk, field, values, ["Id"])
        ]
    try:
        result = query_all(
            desk.org.log_in(), [*campaigns, *statuses], also=desk.schemas.subrequests(undescribed)
        )
    except QueryRefused as refused:
        if undescribed:
            desk.schemas.keep(undescribed, refused.also)
        for field in fields:
            if (
                field.endswith("__c")
                and desk.schemas.describe([CAMPAIGN])[CAMPAIGN].field(field) is None
            ):
                raise AccountStopped(
                    f"The org does not show Campaign.{field} to the user",
                    "create it, let the user see it, or mend external_id_field of the account's "
                    "campaigns",
                ) from None
        raise
    if undescribed:
        desk.schemas.keep(undescribed, result.also)
    records = [record for page in result.records[: len(campaigns)] for record in page]
    of_campaign: dict[str, list[Record]] = {}
    for page in result.records[len(campaigns) :]:
        for record in page:
            of_campaign.setdefault(record["CampaignId"], []).append(record)
    return records, of_campaign


def _at(desk: Desk, field: str, values: Collection[str], fields: Iterable[str]) -> list[str]:
    """Queries for the campaigns with these values; by our mark, for all that our user made.

    No query finds a long text.
    """
    if field == MARK:
        return [select(fields, CAMPAIGN, f"CreatedById = {quote(desk.org.log_in().user_id)}")]
    return packed_in_queries(fields, CAMPAIGN, field, values)


def _link(desk: Desk, each: DueCampaign, found: FoundCampaign) -> None:
    missing = missing_statuses(each.intent["statuses"], found.statuses)
    if missing and each.intent["unknown_status"] == "report":
        labels = ", ".join(status["Label"] for status in missing)
        message = f"Campaign {found.campaign_id} lacks the member status: {labels}"
        _refuse(desk, each, "UNKNOWN_STATUS", message)
        return
    note_campaigns(
        desk.ledger.connection,
        desk.ledger.account_id,
        [LinkedCampaign(each.event_id, found.campaign_id, missing)],
    )
    done = Done(each.operation_id, CAMPAIGN, "none", found.campaign_id, "found", attempts=0)
    record_done(desk.ledger.connection, desk.ledger.cycle_id, [done])
    desk.tally[CAMPAIGN_KIND.name, CAMPAIGN_KIND.unchanged] += 1


def _refuse(desk: Desk, each: DueCampaign, code: str, message: str) -> None:
    """An incident: people see it at once, and it is looked at again as time goes by."""
    note_incident(
        desk.ledger.connection, desk.ledger.account_id, Incident(code, CAMPAIGN, 1, message)
    )
    failed = Failed(each.operation_id, code, message, attempts=0, sobject=CAMPAIGN)
    record_failures(desk, CAMPAIGN_KIND.name, [failed])


def _create(desk: Desk, new: Sequence[DueCampaign]) -> None:
    """Creates campaigns with their statuses, in one call.

    Where there is an external-id field it is an upsert. Elsewhere a creation whose answer was
    lost is sought by name and time before it is sent again.
    """
    desk.allowance.demand_calls()
    fitted = [_fit(desk, each.intent) for each in new]
    bodies = [each.fields for each in fitted]
    planned = [
        Planned(each.operation_id, CAMPAIGN, "create", sent=body)
        for each, body in zip(new, bodies, strict=True)
    ]
    with desk.ledger.step() as connection:
        mark_in_flight(connection, desk.ledger.cycle_id, planned)
        note_changes(
            desk,
            [
                Decision(
                    each.operation_id,
                    "create",
                    CAMPAIGN,
                    None,
                    fit.fields,
                    "",
                    fit.changes,
                    kind=CAMPAIGN_KIND,
                )
                for each, fit in zip(new, fitted, strict=True)
            ],
        )
    subrequests: list[Subrequest] = []
    for place, (each, body) in enumerate(zip(new, bodies, strict=True)):
        subrequests.append(_creation(f"c{place}", each, body))
        # Salesforce: Composite, `@{reference.id}` stands for what the first one made.
        subrequests += [
            status_creation(f"c{place}s{number}", f"@{{c{place}.id}}", status)
            for number, status in enumerate(_statuses_of_new(each))
        ]
    try:
        answers = composite(desk.org.log_in(), subrequests, writes=True)
    except LostAnswer:
        return
    except SalesforceProblem:
        with desk.ledger.step() as connection:
            back_to_pending(connection, [each.operation_id for each in new])
        raise
    told = iter(answers)
    with desk.ledger.step():
        problems = [
            _record(desk, each, next(told), [next(told) for _ in _statuses_of_new(each)])
            for each in new
        ]
    for problem in problems:
        if problem is not None:
            raise problem


def _statuses_of_new(each: DueCampaign) -> list[dict[str, Any]]:
    return missing_statuses(each.intent["statuses"], [])


def _fit(desk: Desk, intent: Mapping[str, Any]) -> Fitted:
    schema = desk.schemas.describe((CAMPAIGN, CAMPAIGN_MEMBER))[CAMPAIGN]
    wanted = dict(intent["campaign"])
    # There is no way to escape what refers to another subrequest.
    wanted["Name"] = wanted["Name"].replace("@{", "@ {")
    return schema.fit(wanted, "create")


def _creation(reference: str, each: DueCampaign, body: Mapping[str, Any]) -> Subrequest:
    field = each.intent["external_id_field"]
    if field is None:
        return Subrequest(reference, "POST", f"sobjects/{CAMPAIGN}", body, "create")
    path = f"sobjects/{CAMPAIGN}/{field}/{each.event_id}"
    return Subrequest(reference, "PATCH", path, body, "create")


def _record(
    desk: Desk, each: DueCampaign, created: SubAnswer, statuses: Sequence[SubAnswer]
) -> SalesforceProblem | None:
    """Records a creation; returns what makes it pointless to go on."""
    if created.error is not None:
        code, message = created.error
        problem = problem_of(code, message, created.status)
        if problem is not None:
            back_to_pending(desk.ledger.connection, [each.operation_id])
        elif code == "NOT_FOUND":
            field = each.intent["external_id_field"]
            message = (
                f"Campaign.{field} (external_id_field) is not an external id there; make it one"
            )
            _refuse(desk, each, "NO_EXTERNAL_ID", message)
        elif code:
            treatment = decide(code, message, created.status)
            chosen = remedy(CAMPAIGN_KIND, treatment, "create", of_reference=False)
            if chosen is Remedy.WAITS:
                named = RowError(code, message, error_of(created.body)[2])
                _refuse(desk, each, code, what_to_mend(code, CAMPAIGN, [named]))
                return problem
            failed = Failed(each.operation_id, code, message, 1 if chosen in PASSING else None)
            record_failures(desk, CAMPAIGN_KIND.name, [failed])
        return problem
    campaign_id = created.body.get("id") if isinstance(created.body, dict) else None
    if not isinstance(campaign_id, str):
        return None  # no answer to this: it is in flight, and sought before it is sent again
    missing = [
        status
        for status, answer in zip(_statuses_of_new(each), statuses, strict=True)
        if not is_there(answer)
    ]
    linked = LinkedCampaign(each.event_id, campaign_id, missing, is_new=True)
    note_campaigns(desk.ledger.connection, desk.ledger.account_id, [linked])
    done = Done(each.operation_id, CAMPAIGN, "create", campaign_id, "new")
    record_done(desk.ledger.connection, desk.ledger.cycle_id, [done])
    desk.tally[CAMPAIGN_KIND.name, CAMPAIGN_KIND.outcome(CAMPAIGN, "create")] += 1
    return None
