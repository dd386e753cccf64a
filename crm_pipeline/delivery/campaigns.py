"""Campaigns: which one each event is, found by Id or external id, or created, with its statuses."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from crm_pipeline.delivery.lost import CLOCKS_MAY_DIFFER
from crm_pipeline.delivery.recording import ALL_ATTEMPTS, MEMBER
from crm_pipeline.delivery.schemas import describes, known_schemas, schemas, store_schemas
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.campaigns import (
    DueCampaign,
    LinkedCampaign,
    close_link_incidents,
    due_campaigns,
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
    record_failed,
)
from crm_pipeline.salesforce.composite import (
    QueryRefused,
    Record,
    SubAnswer,
    Subrequest,
    composite,
    query_all,
)
from crm_pipeline.salesforce.errors import (
    LostAnswer,
    SalesforceProblem,
    Treatment,
    decide,
    problem_of,
)
from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.soql import packed_in_queries, quote, select
from crm_pipeline.settings import settings

CAMPAIGN, STATUS = "Campaign", "CampaignMemberStatus"

WINDOW = 1_000
"""Campaigns decided at a time."""

NEW_STATUSES_FROM = 10
"""SortOrder of our first status in a new campaign: Salesforce makes two of its own there."""

ALREADY = "DUPLICATE_VALUE"
"""Salesforce says so of a status whose label a campaign has already: then it is there."""


class Found(NamedTuple):
    """A campaign of the org and its statuses."""

    campaign_id: str
    statuses: Sequence[Record]


def link_campaigns(session: DeliverySession) -> None:
    """Finds or creates the campaign of every event that has none yet or wants another.

    What cannot be linked is an incident: nothing of such an event is sent before a person has
    mended it, and it costs no attempt.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    after = 0
    while due := due_campaigns(session.ledger, session.account_id, after=after, limit=WINDOW):
        after = due[-1].operation_id
        found = _found(session, due)
        new: list[DueCampaign] = []
        for each in due:
            match = found.get(each.operation_id)
            if match is not None:
                _link(session, each, match)
            elif each.intent["campaign_id"] is not None or not each.intent["create"]:
                _refuse(session, each, "NO_CAMPAIGN", _not_found(each))
            else:
                new.append(each)
        session.ledger.commit()
        statuses = max((len(each.intent["statuses"]) for each in new), default=0)
        at_once = COMPOSITE_SUBREQUESTS // (1 + statuses)
        for start in range(0, len(new), at_once):
            _create(session, new[start : start + at_once])
    if after:
        close_link_incidents(session.ledger, session.account_id)
        session.ledger.commit()


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
    """Whether a status is in the org after the attempt to create it."""
    return answer.error is None or answer.error[0] == ALREADY


def _not_found(each: DueCampaign) -> str:
    if each.intent["campaign_id"] is not None:
        return f"There is no campaign {each.intent['campaign_id']} that the user may see"
    field = each.intent["external_id_field"]
    return f"No campaign has {field} = {each.event_id}, and none is to be created"


def _found(session: DeliverySession, due: Sequence[DueCampaign]) -> dict[int, Found]:
    """The campaigns that are in the org already, by operation; describes ride along."""
    by_id: dict[int, str] = {
        each.operation_id: known
        for each in due
        if (known := each.intent["campaign_id"] or each.campaign_id)
    }
    rest = [each for each in due if each.operation_id not in by_id]
    field = next((f for each in rest if (f := each.intent["external_id_field"])), None)
    keyed = {each.operation_id: str(each.event_id) for each in rest if field}
    lost = [each for each in rest if not field and each.sent_at is not None]
    campaigns, statuses = [], []
    for name, values, where in (
        ("Id", list(by_id.values()), ""),
        (field or "Id", list(keyed.values()), ""),
        ("Name", [each.intent["campaign"]["Name"] for each in lost], _created_since(lost)),
    ):
        fields = dict.fromkeys(("Id", "Name", *((field,) if field else ())))
        campaigns += packed_in_queries(fields, CAMPAIGN, name, dict.fromkeys(values), where)
        inner = packed_in_queries(["Id"], CAMPAIGN, name, dict.fromkeys(values), where)
        statuses += [
            select(("CampaignId", "Label", "SortOrder"), STATUS, f"CampaignId IN ({each})")
            for each in inner
        ]
    if not campaigns:
        schemas(session, (CAMPAIGN, MEMBER))
        return {}
    records, of_campaign = _ask(session, campaigns, statuses)
    places: dict[tuple[str, str], str] = {}
    for record in records:
        places["Id", record["Id"][:15]] = record["Id"]
        places.setdefault(("Name", record["Name"]), record["Id"])
        if field and record[field] is not None:
            places["key", str(record[field])] = record["Id"]
    sought = {ref: ("Id", str(value)[:15]) for ref, value in by_id.items()}
    sought |= {ref: ("key", value) for ref, value in keyed.items()}
    sought |= {each.operation_id: ("Name", each.intent["campaign"]["Name"]) for each in lost}
    return {
        ref: Found(places[place], of_campaign.get(places[place], []))
        for ref, place in sought.items()
        if place in places
    }


def _created_since(lost: Sequence[DueCampaign]) -> str:
    times = [each.sent_at for each in lost if each.sent_at is not None]
    return f"CreatedDate >= {quote(min(times) - CLOCKS_MAY_DIFFER)}" if times else ""


def _ask(
    session: DeliverySession, campaigns: list[str], statuses: list[str]
) -> tuple[list[Record], dict[str, list[Record]]]:
    session.calls_left()
    known = known_schemas(session)
    undescribed = [name for name in (CAMPAIGN, MEMBER) if name not in known]
    try:
        result = query_all(
            session.org(), [*campaigns, *statuses], also=describes(session, undescribed)
        )
    except QueryRefused as refused:
        if undescribed:
            store_schemas(session, undescribed, refused.also)
        raise
    if undescribed:
        store_schemas(session, undescribed, result.also)
    records = [record for page in result.records[: len(campaigns)] for record in page]
    of_campaign: dict[str, list[Record]] = {}
    for page in result.records[len(campaigns) :]:
        for record in page:
            of_campaign.setdefault(record["CampaignId"], []).append(record)
    return records, of_campaign


def _link(session: DeliverySession, each: DueCampaign, found: Found) -> None:
    missing = missing_statuses(each.intent["statuses"], found.statuses)
    if missing and each.intent["unknown_status"] == "report":
        labels = ", ".join(status["Label"] for status in missing)
        message = f"Campaign {found.campaign_id} lacks the member status: {labels}"
        _refuse(session, each, "UNKNOWN_STATUS", message)
        return
    note_campaigns(
        session.ledger,
        session.account_id,
        [LinkedCampaign(each.event_id, found.campaign_id, missing)],
    )
    done = Done(each.operation_id, CAMPAIGN, "none", found.campaign_id, "found", attempts=0)
    record_done(session.ledger, session.cycle_id, [done])
    session.delivered.campaigns_linked += 1


def _refuse(session: DeliverySession, each: DueCampaign, code: str, message: str) -> None:
    """An incident: people see it at once, and it is looked at again as time goes by."""
    mark_in_flight(session.ledger, session.cycle_id, [Planned(each.operation_id, CAMPAIGN, "none")])
    note_incident(session.ledger, session.account_id, Incident(code, CAMPAIGN, 1), message)
    fail(session, [Failed(each.operation_id, code, message, attempts=0)])


def fail(session: DeliverySession, failed: Sequence[Failed]) -> None:
    """Records failures and counts them."""
    waiting, exhausted = record_failed(
        session.ledger,
        session.cycle_id,
        failed,
        backoff_seconds=settings().retry_backoff_seconds,
    )
    session.delivered.failed += len(failed)
    session.delivered.waiting += waiting
    session.delivered.exhausted += exhausted


def _create(session: DeliverySession, new: Sequence[DueCampaign]) -> None:
    """Creates campaigns with their statuses, in one call.

    Where there is an external-id field it is an upsert. Elsewhere a creation whose answer was
    lost is sought by name and time before it is sent again.
    """
    session.calls_left()
    bodies = [_body(session, each) for each in new]
    planned = [
        Planned(each.operation_id, CAMPAIGN, "create", sent=body)
        for each, body in zip(new, bodies, strict=True)
    ]
    mark_in_flight(session.ledger, session.cycle_id, planned)
    session.ledger.commit()
    subrequests: list[Subrequest] = []
    for place, (each, body) in enumerate(zip(new, bodies, strict=True)):
        subrequests.append(_creation(f"c{place}", each, body))
        # Salesforce: Composite, `@{reference.id}` stands for what the first one made.
        subrequests += [
            status_creation(f"c{place}s{number}", f"@{{c{place}.id}}", status)
            for number, status in enumerate(_statuses_of_new(each))
        ]
    try:
        answers = composite(session.org(), subrequests, writes=True)
    except LostAnswer:
        return
    except SalesforceProblem:
        back_to_pending(session.ledger, [each.operation_id for each in new])
        session.ledger.commit()
        raise
    told = iter(answers)
    problems = [
        _record(session, each, next(told), [next(told) for _ in _statuses_of_new(each)])
        for each in new
    ]
    session.ledger.commit()
    for problem in problems:
        if problem is not None:
            raise problem


def _statuses_of_new(each: DueCampaign) -> list[dict[str, Any]]:
    return missing_statuses(each.intent["statuses"], [])


def _body(session: DeliverySession, each: DueCampaign) -> dict[str, Any]:
    schema = schemas(session, (CAMPAIGN, MEMBER))[CAMPAIGN]
    wanted = dict(each.intent["campaign"])
    # There is no way to escape what refers to another subrequest.
    wanted["Name"] = wanted["Name"].replace("@{", "@ {")
    return schema.fit(wanted, "create").fields


def _creation(reference: str, each: DueCampaign, body: Mapping[str, Any]) -> Subrequest:
    field = each.intent["external_id_field"]
    if field is None:
        return Subrequest(reference, "POST", f"sobjects/{CAMPAIGN}", body, "create")
    path = f"sobjects/{CAMPAIGN}/{field}/{each.event_id}"
    return Subrequest(reference, "PATCH", path, body, "create")


def _record(
    session: DeliverySession, each: DueCampaign, created: SubAnswer, statuses: Sequence[SubAnswer]
) -> SalesforceProblem | None:
    """Records a creation; returns what makes it pointless to go on."""
    if created.error is not None:
        code, message = created.error
        problem = problem_of(code, message, created.status)
        if problem is not None:
            back_to_pending(session.ledger, [each.operation_id])
        elif code:
            passing = decide(code, message, created.status) in (
                Treatment.RETRY,
                Treatment.RETRY_SERIALLY,
            )
            attempts = 1 if passing else ALL_ATTEMPTS
            fail(session, [Failed(each.operation_id, code, message, attempts)])
        return problem
    campaign_id = created.body["id"]
    missing = [
        status
        for status, answer in zip(_statuses_of_new(each), statuses, strict=True)
        if not is_there(answer)
    ]
    linked = LinkedCampaign(each.event_id, campaign_id, missing, is_new=True)
    note_campaigns(session.ledger, session.account_id, [linked])
    done = Done(each.operation_id, CAMPAIGN, "create", campaign_id, "new")
    record_done(session.ledger, session.cycle_id, [done])
    session.delivered.campaigns_created += 1
    return None
