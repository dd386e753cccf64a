"""Campaigns: which one each event, session or series is, found or created, with its statuses."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_path

from crm_pipeline.delivery.campaign_search import (
    CAMPAIGN,
    MARK,
    PARENT,
    STATUS,
    FoundCampaign,
    fitted,
    fitted_wanted,
    is_touched_by_us_alone,
    seek,
)
from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.follow import Follower, changes, follow, followed
from crm_pipeline.delivery.kind import CAMPAIGN as CAMPAIGN_KIND
from crm_pipeline.delivery.kind import PASSING, Remedy, remedy
from crm_pipeline.delivery.recording import note_changes, note_refused_fields, record_failures
from crm_pipeline.delivery.refusals import what_to_mend
from crm_pipeline.delivery.windows import windows
from crm_pipeline.ledger.campaign_keys import called
from crm_pipeline.ledger.campaigns import (
    DueCampaign,
    LinkedCampaign,
    due_campaigns,
    note_campaigns,
    parent_is_gone,
    reopen_children,
    reopen_links,
)
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.ledger.incidents import Incident, note_incident
from crm_pipeline.ledger.outcomes import (
    Done,
    Failed,
    Planned,
    back_to_pending,
    end_sending,
    mark_in_flight,
    note_sending,
    record_done,
)
from crm_pipeline.salesforce.answers import error_of
from crm_pipeline.salesforce.composite import (
    Record,
    SubAnswer,
    Subrequest,
    composite,
)
from crm_pipeline.salesforce.errors import (
    LostAnswer,
    SalesforceProblem,
    Treatment,
    decide,
    problem_of,
)
from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.outcomes import RowError, Write

LEVELS = 4
"""A series, an event, a session; and once more for those whose parent turns out to be gone."""

WINDOW = 1_000
"""Campaigns decided at a time."""

NEW_STATUSES_FROM = 10
"""SortOrder of our first status in a new campaign: Salesforce makes two of its own there."""

ALREADY = "DUPLICATE_VALUE"
"""Salesforce says so of a status whose label a campaign has already: then it is there."""


def link_campaigns(desk: Desk) -> None:
    """Finds or creates the campaign of every event that has none yet or wants another.

    An event that cannot be linked is an incident: nothing of it is sent before a person has
    mended it, and it costs no attempt.

    A campaign below another waits until that one is there, or cannot be had: then it goes without.

    Raises:
        SalesforceProblem: as `delivery.deliver`.
    """
    for _ in range(LEVELS):
        if not _link_due(desk):
            return
        with desk.ledger.step() as connection:
            if not reopen_children(connection, desk.ledger.account_id):
                return


def _link_due(desk: Desk) -> bool:
    """Links what is due; returns whether anything was."""
    is_any = False
    for due in windows(desk.ledger, due_campaigns, limit=WINDOW):
        is_any = True
        found = seek(desk, due)
        new: list[DueCampaign] = []
        followers = _followers(desk, due, found)
        waiting = set(desk.unapproved([each.write for each in followers]))
        did = follow(desk, [each for each in followers if each.operation_id not in waiting])
        waiting |= {each.operation_id for each in did.later}
        with desk.ledger.step():
            record_failures(desk, CAMPAIGN_KIND.name, did.later)
            if did.refused:
                note_refused_fields(desk, did.refused)
            for each in due:
                match = found.get(each.operation_id)
                if each.operation_id in waiting:
                    continue
                if match is not None:
                    _link(desk, each, match, did.taken.get(each.operation_id))
                elif _is_known(each) or not each.intent["create"]:
                    _refuse(desk, each, *_not_found(desk, each))
                else:
                    new.append(each)
        statuses = max((len(each.intent["statuses"]) for each in new), default=0)
        at_once = COMPOSITE_SUBREQUESTS // (1 + statuses)
        for start in range(0, len(new), at_once):
            _create(desk, new[start : start + at_once])
    return is_any


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


def _not_found(desk: Desk, each: DueCampaign) -> tuple[str, str]:
    """Returns why there is no campaign: a code, and what to do."""
    about = f"{desk.ledger.account_id} {shlex.quote(each.campaign_key)}"
    remedy = f"name one: `crm-pipeline campaign link {about} CAMPAIGN`"
    about = called(each.campaign_key)
    if each.intent["campaign_id"] is not None:
        return OwnCode.NO_CAMPAIGN, (
            f"There is no campaign {each.intent['campaign_id']}, which {about} is "
            f"linked to, or the user may not see it; restore it, or {remedy}"
        )
    if each.campaign_id is not None:
        return OwnCode.CAMPAIGN_DELETED, (
            f"Campaign {each.campaign_id} of {about} was deleted, or is hidden "
            f"from the user; restore it, or {remedy}"
        )
    return OwnCode.NO_CAMPAIGN, (
        f"No campaign has {each.intent['external_id_field']} = {each.campaign_key} "
        f"(external_id_field), and create_campaigns is off; give one this key, or {remedy}"
    )


def _followers(
    desk: Desk, due: Sequence[DueCampaign], found: Mapping[int, FoundCampaign]
) -> list[Follower]:
    """The campaigns of these that bear our mark and are to follow their events."""
    followers = []
    for each in due:
        there = found.get(each.operation_id)
        if there is None or each.intent["campaign_id"] is not None:
            continue
        former = [fitted(desk, body, each.former_parent_id).fields for body in each.former]
        if not former and each.parent_id is not None:
            former = [{PARENT: each.former_parent_id}]
        if desk.may_be_older_copy and is_touched_by_us_alone(desk, there.record):
            # Made or changed since the copy, which knows nothing of how it was wanted then.
            former.append(there.record)
        wanted = fitted_wanted(desk, each).fields
        if "parent" in each.intent and each.intent["parent"] is None:
            wanted = {PARENT: None, **wanted}
        if there.record.get(MARK) != wanted.get(MARK):
            continue
        if fields := changes(wanted, former, there.record, followed(each.intent)):
            followers.append(Follower(each.operation_id, there.campaign_id, fields, there.record))
    return followers


def _link(
    desk: Desk, each: DueCampaign, found: FoundCampaign, changed: Mapping[str, Any] | None
) -> None:
    missing = missing_statuses(each.intent["statuses"], found.statuses)
    if missing and each.intent["unknown_status"] == "report":
        labels = ", ".join(status["Label"] for status in missing)
        message = f"Campaign {found.campaign_id} lacks the member status: {labels}"
        _refuse(desk, each, OwnCode.UNKNOWN_STATUS, message)
        return
    _tell_of_statuses(desk, missing)
    note_campaigns(
        desk.ledger.connection,
        desk.ledger.account_id,
        [LinkedCampaign(each.campaign_key, found.campaign_id, missing, parent_id=each.parent_id)],
    )
    done = Done(
        each.operation_id,
        CAMPAIGN,
        "update" if changed else "none",
        found.campaign_id,
        "found",
        attempts=0,
        sent=changed if desk.is_planned else None,
    )
    record_done(desk.ledger.connection, desk.ledger.cycle_id, [done])
    desk.tally[CAMPAIGN_KIND.name, CAMPAIGN_KIND.unchanged] += 1


def _refuse(desk: Desk, each: DueCampaign, code: str, message: str) -> None:
    """An incident: people see it at once, and it is looked at again as time goes by."""
    if code == OwnCode.CAMPAIGN_DELETED and each.campaign_id is not None:
        parent_is_gone(desk.ledger.connection, desk.ledger.account_id, each.campaign_id)
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
    wanted = [(each, fitted_wanted(desk, each)) for each in new]
    waiting = desk.unapproved(
        [Write(each.operation_id, CAMPAIGN, "create", fit.fields) for each, fit in wanted]
    )
    new = [each for each in new if each.operation_id not in waiting]
    if not new:
        return
    ledger = desk.ledger
    desk.allowance.demand_calls()
    fitted = [fit for each, fit in wanted if each.operation_id not in waiting]
    bodies = [each.fields for each in fitted]
    planned = [
        Planned(each.operation_id, CAMPAIGN, "create", sent=body)
        for each, body in zip(new, bodies, strict=True)
    ]
    with ledger.step() as connection:
        mark_in_flight(connection, ledger.cycle_id, planned)
        sent = {(CAMPAIGN, "create"): [each.operation_id for each in new]}
        note_sending(connection, ledger.account_id, ledger.cycle_id, sent, "composite")
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
        _tell_of_statuses(desk, _statuses_of_new(each))
        subrequests.append(_creation(f"c{place}", each, body))
        # Salesforce: Composite, `@{reference.id}` stands for what the first one made.
        subrequests += [
            status_creation(f"c{place}s{number}", f"@{{c{place}.id}}", status)
            for number, status in enumerate(_statuses_of_new(each))
        ]
    org = desk.org.log_in()
    try:
        answers = composite(org, subrequests, writes=True)
    except LostAnswer:
        with ledger.step() as connection:
            end_sending(connection, ledger.account_id, [])
        return
    except SalesforceProblem:
        with ledger.step() as connection:
            end_sending(connection, ledger.account_id, [])
            back_to_pending(connection, [each.operation_id for each in new])
        raise
    told = iter(answers)
    with ledger.step() as connection:
        end_sending(connection, ledger.account_id, [], org_time=org.org_time)
        problems = [
            _record(desk, each, next(told), [next(told) for _ in _statuses_of_new(each)])
            for each in new
        ]
    for problem in problems:
        if problem is not None:
            raise problem


def _tell_of_statuses(desk: Desk, missing: Sequence[Mapping[str, Any]]) -> None:
    """Names statuses that a campaign gets: they are no operations, and a plan has them nowhere."""
    if desk.is_planned:
        desk.notes.statuses.update(status["Label"] for status in missing)


def _statuses_of_new(each: DueCampaign) -> list[dict[str, Any]]:
    return missing_statuses(each.intent["statuses"], [])


def _creation(reference: str, each: DueCampaign, body: Mapping[str, Any]) -> Subrequest:
    field = each.intent["external_id_field"]
    if field is None:
        return Subrequest(reference, "POST", f"sobjects/{CAMPAIGN}", body, "create")
    path = f"sobjects/{CAMPAIGN}/{field}/{quote_path(each.campaign_key, safe='')}"
    return Subrequest(reference, "PATCH", path, body, "create")


def _may_be_of_parent(
    desk: Desk, each: DueCampaign, code: str, message: str, created: SubAnswer
) -> bool:
    """Returns whether the parent may be gone, and is to be looked at first; once in a cycle."""
    is_gone = decide(code, message, created.status) is Treatment.SWITCH_TARGET
    return is_gone and desk.passes.try_once(each.operation_id, PARENT)


def _record(
    desk: Desk, each: DueCampaign, created: SubAnswer, statuses: Sequence[SubAnswer]
) -> SalesforceProblem | None:
    """Records a creation; returns what makes it pointless to go on."""
    if created.error is not None:
        code, message = created.error
        problem = problem_of(code, message, created.status)
        if problem is not None:
            back_to_pending(desk.ledger.connection, [each.operation_id])
        elif each.parent_id is not None and _may_be_of_parent(desk, each, code, message, created):
            back_to_pending(desk.ledger.connection, [each.operation_id])
            reopen_links(desk.ledger.connection, desk.ledger.account_id, [each.parent_id])
        elif code == "NOT_FOUND":
            field = each.intent["external_id_field"]
            message = (
                f"Campaign.{field} (external_id_field) is not an external id there; make it one"
            )
            _refuse(desk, each, OwnCode.NO_EXTERNAL_ID, message)
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
    linked = LinkedCampaign(each.campaign_key, campaign_id, missing, True, each.parent_id)
    note_campaigns(desk.ledger.connection, desk.ledger.account_id, [linked])
    done = Done(each.operation_id, CAMPAIGN, "create", campaign_id, "new")
    record_done(desk.ledger.connection, desk.ledger.cycle_id, [done])
    desk.count_written(CAMPAIGN_KIND.name, CAMPAIGN_KIND, CAMPAIGN, "create")
    return None
