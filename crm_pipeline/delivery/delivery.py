"""One delivery: what was lost is looked up, what is due is sent, in the order that matters."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from functools import partial

from sqlalchemy import Connection

from crm_pipeline.accounts.filters import wanted
from crm_pipeline.accounts.store import filter_strings
from crm_pipeline.delivery.activities import send_activities
from crm_pipeline.delivery.adoption import adopt_changed
from crm_pipeline.delivery.campaigns import link_campaigns
from crm_pipeline.delivery.copies import beware_of_copy
from crm_pipeline.delivery.decisions import EVENT
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.kind import (
    ACTIVITY,
    CAMPAIGN,
    MEMBER,
    OF_THE_ORG,
    PERSON,
    RECORD,
    UNDO,
    Kind,
)
from crm_pipeline.delivery.lost import look_up_lost
from crm_pipeline.delivery.members import send_members
from crm_pipeline.delivery.people import create_people, update_people
from crm_pipeline.delivery.recording import CAMPAIGN_MEMBER
from crm_pipeline.delivery.records import RecordTopic, pending_records, send_records
from crm_pipeline.delivery.sending import Dispatch
from crm_pipeline.delivery.storage import ASKED_FROM, EVERYTHING, Room, waiting_for_room
from crm_pipeline.delivery.undoing import send_undos
from crm_pipeline.ledger.campaigns import due_member_volume
from crm_pipeline.ledger.cycles import made_since_asked
from crm_pipeline.ledger.due import due_volumes, pending_kinds, which_done
from crm_pipeline.ledger.incidents import release_incidents
from crm_pipeline.ledger.left_out import (
    leave_out_for_dropped,
    leave_out_for_nothing,
    reconsider_left_out,
    reject_filtered,
    set_aside,
)
from crm_pipeline.ledger.outcomes import (
    RETRIES_PER_CYCLE,
    fill_emptied,
    has_unfinished,
    take_retries,
)
from crm_pipeline.ledger.people import supersede_absorbed
from crm_pipeline.salesforce.budget import choose_route, forecast_calls
from crm_pipeline.salesforce.data_storage import data_storage
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
from crm_pipeline.tracing import span

PASSES = 3
"""How often what turns out to have moved in the org is decided anew within one cycle."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The kinds and topics that a delivery is to send: those of the flows that the account has on.

    Attributes:
        kinds: of operations, by name; others stay as they are.
        record_topics: those whose operations are records of any object, parents first.
        hold_back: within a transaction, what is not to be sent now; None: all is that is due.
    """

    kinds: frozenset[str]
    record_topics: Sequence[RecordTopic] = ()
    hold_back: Callable[[Connection], None] | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPart:
    """A part of a delivery: kinds that are sent together, from one share of the calls."""

    kinds: tuple[Kind, ...]
    send: Callable[[Desk, Assignment], None]

    def is_in(self, kinds: Collection[str]) -> bool:
        """Returns whether one of its kinds is among these."""
        return any(kind.name in kinds for kind in self.kinds)


def with_every_kind(parts: Sequence[DeliveryPart]) -> tuple[DeliveryPart, ...]:
    """The parts themselves, once it is sure that each kind is sent by one of them.

    Raises:
        ValueError: a kind would stay pending for ever, or be sent twice.
    """
    sent = [kind.name for part in parts for kind in part.kinds]
    if sorted(sent) != sorted(OF_THE_ORG):
        raise ValueError(f"Each of {sorted(OF_THE_ORG)} has to be sent by one part, not {sent}")
    return tuple(parts)


def retry(desk: Desk, what: Assignment) -> tuple[int, int]:
    """Takes up what an earlier cycle left: lost answers first, then the oldest failures.

    Retries spend only from their own slice of the cycle's API calls. Where one goes through
    that an incident held up, the incident is over, and all that it held up goes.

    Returns:
        How many operations were tried again, and how many of them are done now.

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: as `deliver`.
    """
    if not has_unfinished(desk.ledger.connection, desk.ledger.account_id):
        return 0, 0
    look_up_lost(desk)
    if desk.may_be_older_copy:
        # The source has to be read first: it may say otherwise by now.
        return 0, 0
    share = desk.chosen.retry_share
    if desk.allowance.budget.slice_left(share, 0) == 0:
        return 0, 0
    with desk.ledger.step() as connection:
        retried = take_retries(connection, desk.ledger.account_id, limit=RETRIES_PER_CYCLE)
    if not retried:
        return 0, 0
    deliver(desk, what)
    done = which_done(desk.ledger.connection, retried)
    overcome = {retried[operation_id] for operation_id in done}
    with desk.ledger.step() as connection:
        released = bool(overcome) and release_incidents(
            connection, desk.ledger.account_id, overcome
        )
    if released:
        deliver(desk, what)
    return len(retried), len(done)


def deliver(desk: Desk, what: Assignment) -> None:
    """Drains what is pending: new leads, activities, updates of people; campaigns; other records.

    Args:
        desk: the account's delivery.
        what: is to be sent.

    Raises:
        AccountStopped: the account's configuration or credentials have to be mended.
        AccountPaused: a limit is reached; what was not sent is pending.
        OrgUnavailable: the org went away; what was not sent is pending.
    """
    _sort_out(desk, what)
    desk = beware_of_copy(desk, what.kinds)
    desk.allowance.forecast += _forecast(desk, what)
    for number in range(PASSES):
        desk.passes.another = desk.may_be_older_copy and number == 0
        try:
            _send(desk, what)
        except AccountStopped as stopped:
            # Most likely a field that our user may not see any more: described anew, it is left
            # out and named.
            if stopped.code != "INVALID_FIELD" or not desk.passes.try_once(0, stopped.code):
                raise
            with desk.ledger.step():
                desk.schemas.forget(tuple(desk.schemas.known()), now=True)
            desk.passes.another = True
        if not desk.passes.another:
            return
        if desk.may_be_older_copy:
            # Activities that were taken for sent are sought once their people are known.
            look_up_lost(desk)
            adopt_changed(desk)


def _sort_out(desk: Desk, what: Assignment) -> None:
    """Leaves out what is not to be sent, and takes up what may be sent again. Commits."""
    account_id = desk.ledger.account_id
    with desk.ledger.step() as connection:
        there = set_aside(connection, account_id, desk.ledger.cycle_id)
        if there.left_out:
            reconsider_left_out(
                connection,
                account_id,
                all_of_them=desk.chosen.unknown_email != "neither",
                kinds=[kind.name for kind in (ACTIVITY, MEMBER) if kind.name in what.kinds],
            )
        if there.dropped:
            leave_out_for_dropped(connection, account_id)
        unwanted = [wanted(each) for each in filter_strings(connection, account_id)]
        for kind, number in reject_filtered(connection, account_id, unwanted).items():
            desk.tally[kind, "rejected"] += number
        if there.still_waiting or there.left_out:
            leave_out_for_nothing(connection, account_id, desk.ledger.cycle_id)
        if there.absorbed:
            supersede_absorbed(connection, account_id)
        if there.emptied:
            fill_emptied(connection, account_id)


def _send(desk: Desk, what: Assignment) -> None:
    """Sends what is due, in the order that matters.

    Where calls are limited, much of one sort leaves calls for the others.
    """
    if what.hold_back is not None:
        with desk.ledger.step() as connection:
            what.hold_back(connection)
    _ask_for_room(desk, what)
    parts = [part for part in _PARTS if part.is_in(what.kinds)]
    limited = desk.allowance.budget.calls_left is not None
    waiting = pending_kinds(desk.ledger.connection, desk.ledger.account_id) if limited else set()
    desk.allowance.share_out(
        [(partial(_send_part, part, desk, what), part.is_in(waiting)) for part in parts]
    )


def _send_part(part: DeliveryPart, desk: Desk, what: Assignment) -> None:
    with span(f"send {', '.join(kind.name for kind in part.kinds)}"):
        part.send(desk, what)


def _ask_for_room(desk: Desk, what: Assignment) -> None:
    """Finds out, once in a cycle, how many new records the org has room for.

    Costs a call for each 200 or more that are made, of accounts that have a share of the storage.
    People are told of those that have to wait.
    """
    share = desk.chosen.storage_share
    if share is None or EVERYTHING in desk.rooms:
        return
    due = due_volumes(desk.ledger.connection, desk.ledger.account_id)
    new = due.unknown_people + due.activities
    if MEMBER.name in what.kinds:
        new += due_member_volume(desk.ledger.connection, desk.ledger.account_id)
    new += sum(
        number
        for (_, _, absent), number in pending_records(desk, what.record_topics).items()
        if not absent
    )
    # A few in each cycle fill an org up as well.
    made = made_since_asked(desk.ledger.connection, desk.ledger.account_id) if new else 0
    if not new or made + new < ASKED_FROM:
        return
    desk.allowance.demand_calls()
    storage = data_storage(desk.org.log_in())
    desk.rooms[EVERYTHING] = Room(storage.room(share))
    if line := waiting_for_room("the account", new, storage, share, "storage_share"):
        desk.notes.lines.append(line)


def _send_people(desk: Desk, _: Assignment) -> None:
    """Sends people, and activities as soon as their people are in the org."""
    due = due_volumes(desk.ledger.connection, desk.ledger.account_id)
    if not any(astuple(due)):
        return
    activities = Dispatch(desk, "activities", {(EVENT, "create"): due.activities})
    with desk.clock.sending("send people"):
        create_people(desk, due, activities_follow=not activities.by_bulk)
    with desk.clock.sending("send activities"):
        send_activities(desk, activities)
    if due.unknown_people or due.known_people or due.lead_updates or due.contact_updates:
        with desk.clock.sending("send people"):
            update_people(desk)


def _send_campaigns(desk: Desk, _: Assignment) -> None:
    """Sends campaigns and their members."""
    with desk.clock.sending("send campaigns"):
        link_campaigns(desk)
    with desk.clock.sending("send members"):
        send_members(desk)


def _send_records(desk: Desk, what: Assignment) -> None:
    """Sends records of any object."""
    with desk.clock.sending("send records"):
        send_records(desk, what.record_topics)


def _send_undos(desk: Desk, _: Assignment) -> None:
    """Takes back what an earlier cycle wrote."""
    with desk.clock.sending("send undos"):
        send_undos(desk)


_PARTS = with_every_kind(
    (
        DeliveryPart((UNDO,), _send_undos),
        DeliveryPart((PERSON, ACTIVITY), _send_people),
        DeliveryPart((CAMPAIGN, MEMBER), _send_campaigns),
        DeliveryPart((RECORD,), _send_records),
    )
)
"""In the order in which they are sent."""


def _forecast(desk: Desk, what: Assignment) -> int:
    """API calls that draining what is pending will take, if all goes well."""
    due = due_volumes(desk.ledger.connection, desk.ledger.account_id)
    volumes = {
        ("Lead", "create"): due.unknown_people,
        (EVENT, "create"): due.activities,
        ("Lead", "update"): due.lead_updates + due.known_people,
        ("Contact", "update"): due.contact_updates,
    }
    chosen = desk.chosen
    lookups = due.unknown_people
    if MEMBER.name in what.kinds:
        members = due_member_volume(desk.ledger.connection, desk.ledger.account_id)
        volumes[CAMPAIGN_MEMBER, "create"] = members
        lookups += members
    for (_, sobject, absent), number in pending_records(desk, what.record_topics).items():
        written = sobject, "delete" if absent else "create"
        volumes[written] = volumes.get(written, 0) + number
    reading = 0
    if chosen.keep_replaced_values:
        known = due.known_people + due.lead_updates + due.contact_updates
        reading = -(-known // (QUERY_PAGE * COMPOSITE_QUERIES_OR_COLLECTIONS))
    allowance = desk.allowance
    route = choose_route(volumes, allowance.latency, allowance.budget.calls_left, chosen.route)
    return reading + forecast_calls(lookups, volumes, route.name)
