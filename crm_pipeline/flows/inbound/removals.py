"""Removals, worked off: what was to be sent is withdrawn, then the org, then our own tables.

Every step can be repeated, and a crash at any place is finished by the next cycle: the request
stays until its receipt is written, in the transaction that erases the person.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.lost import look_up_lost
from crm_pipeline.flows.inbound import NAME
from crm_pipeline.flows.inbound.in_org import PEOPLE, UNSURE, PlacesInOrg, remove_in_org
from crm_pipeline.flows.inbound.receipt import receipt
from crm_pipeline.inbound.erasing import Traces, erase, traces_of, with_records
from crm_pipeline.inbound.queue import Request, finish, pending, put_off
from crm_pipeline.inbound.statistics import forget_statistics
from crm_pipeline.inbound.tombstones import Hasher, bury, bury_signs, hasher_of, sign_of
from crm_pipeline.inbound.withdrawal import withdraw_people
from crm_pipeline.ledger.bulk_jobs import open_bulk_jobs
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.outcomes import let_others_fill
from crm_pipeline.salesforce.errors import SalesforceProblem
from crm_pipeline.settings import settings

TOPIC = "removals"

_TICKET = "ticket:"
"""Begins the natural keys of the platform's feedback tickets."""


def remove(desk: Desk, choices: InboundSettings) -> None:
    """Works off the removals of an account that wait; commits after each step.

    One that the org keeps from being done waits, and the others go on.

    Raises:
        SalesforceProblem: of the first one that waits.
        AccountError: the key of hashes cannot be opened.
    """
    problem: SalesforceProblem | None = None
    for request in pending(desk.ledger.connection, desk.ledger.account_id, ("removal",)):
        try:
            _remove(desk, choices, request)
        except SalesforceProblem as kept:
            desk.ledger.connection.rollback()
            with desk.ledger.step() as connection:
                put_off(connection, request, str(kept))
            desk.tally[TOPIC, "waiting"] += 1
            problem = problem or kept
    desk.ledger.connection.rollback()
    if problem is not None:
        raise problem


def _remove(desk: Desk, choices: InboundSettings, request: Request) -> None:
    said = request.body or {}
    if request.address is None:
        raise AccountError(f"Request {request.request_id} names nobody: ask for support.")
    with desk.ledger.step() as connection:
        hasher = hasher_of(connection, desk.account)
        found = traces_of(connection, hasher, request.address)
    if said.get("does") == "suppress":
        _suppress(desk, request, found)
        return
    chosen = said.get("in_org") or choices.in_org
    if chosen != "leave" and found.in_flight:
        found = _settled(desk, found, request.address)
    with desk.ledger.step() as connection:
        withdraw_people(connection, desk.ledger.account_id, list(found.person_keys))
    in_org = remove_in_org(desk, found, chosen)
    _refuse_unsure(in_org.places)
    with desk.ledger.step() as connection:
        # Those that were converted or merged are others now.
        found = with_records(connection, found)
        rows = erase(connection, found, seq=request.seq)
        let_others_fill(
            desk.ledger,
            in_org.emptied,
            desk.chosen.fields_that_go_together,
            removed=found.addresses,
        )
        bury_signs(connection, hasher, _signs(found))
        for address in _other_addresses(hasher, request.address, found):
            bury(connection, hasher, address, "erase")
        _ask_the_platform(desk, request, found)
        done = receipt(
            rows,
            in_org.places,
            asked=len(found.user_ids) + len(found.lead_ids),
            in_flight=found.in_flight,
        )
        finish(connection, request, cycle_id=desk.ledger.cycle_id, receipt=done)
        forget_statistics(connection, rows)
    desk.tally[TOPIC, "removed"] += 1


def _other_addresses(hasher: Hasher, asked: str, found: Traces) -> list[str]:
    """Further addresses of a removed person: what comes with one is not to be processed either."""
    held = {*hasher.digests(asked)}
    return [each for each in found.addresses if held.isdisjoint(hasher.digests(each))]


def _signs(found: Traces) -> list[str]:
    return [
        *(sign_of("tracked_lead", each) for each in found.lead_ids),
        *(
            sign_of("ticket", each.removeprefix(_TICKET))
            for each in found.natural_keys
            if each.startswith(_TICKET)
        ),
        *(
            sign_of("record", record_id)
            for sobject, record_id in found.records
            if sobject in PEOPLE and record_id not in found.shared
        ),
    ]


def _suppress(desk: Desk, request: Request, found: Traces) -> None:
    """Withdraws what waits of a person, of whom nothing is processed from now on."""
    with desk.ledger.step() as connection:
        withdrawn = withdraw_people(connection, desk.ledger.account_id, list(found.person_keys))
        done = {"places": [{"place": "crm.operation", "done": "withdrawn", "number": withdrawn}]}
        finish(connection, request, cycle_id=desk.ledger.cycle_id, receipt=done)
    desk.tally[TOPIC, "suppressed"] += 1


def _settled(desk: Desk, found: Traces, address: str) -> Traces:
    """Sees to it that nothing that is under way writes the person anew; returns what is known.

    Raises:
        SalesforceProblem: the org may still be at work on it.
    """
    if open_bulk_jobs(desk.ledger.connection, desk.ledger.account_id):
        with desk.org.gate.open_for_removal():
            look_up_lost(desk)
    grace = timedelta(seconds=settings().lost_answer_grace_seconds)
    if found.sent_at is not None and found.sent_at + grace > datetime.now(UTC):
        raise _Unsure("What was sent without an answer may still be written; the removal waits")
    with desk.ledger.step() as connection:
        again = traces_of(connection, hasher_of(connection, desk.account), address)
    return replace(again, in_flight=found.in_flight)


class _Unsure(SalesforceProblem):
    """The org did not answer to a removal, or refused it for now: it is done again."""


def _refuse_unsure(places: PlacesInOrg) -> None:
    unsure = [
        f"{place}: {done.removeprefix(UNSURE)}" for place, done in places if done.startswith(UNSURE)
    ]
    if unsure:
        raise _Unsure(f"A removal is not done yet and goes on with the next cycle: {unsure[0]}")


def _ask_the_platform(desk: Desk, request: Request, found: Traces) -> None:
    """Asks the platform to remove the user, and a tracker its leads, by ids of their own."""
    if not (found.user_ids or found.lead_ids):
        return
    said: dict[str, Any] = {"remove": True, "user_ids": sorted(found.user_ids)}
    if found.lead_ids:
        said["lead_ids"] = sorted(found.lead_ids)
    want = MessageWant(
        TOPIC,
        f"request:{request.request_id}",
        datetime.now(UTC),
        said,
    )
    record_intents(
        desk.ledger.connection,
        desk.ledger.account_id,
        flow=NAME,
        cycle_id=desk.ledger.cycle_id,
        intents=[want.intent],
    )
