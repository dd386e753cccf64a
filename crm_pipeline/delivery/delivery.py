"""One delivery: what was lost is looked up, what is due is sent, in the order that matters."""

from crm_pipeline.delivery.activities import send_activities
from crm_pipeline.delivery.lost import look_up_lost
from crm_pipeline.delivery.people import create_people, update_people
from crm_pipeline.delivery.session import DeliverySession
from crm_pipeline.ledger.outcomes import RETRIES_PER_CYCLE, take_retries

PASSES = 3
"""How often what turns out to have moved in the org is decided anew within one cycle."""


def retry(session: DeliverySession) -> list[int]:
    """Takes up what an earlier cycle left: lost answers first, then the oldest failures.

    Returns:
        The operations that are tried again.

    Raises:
        AccountStopped, AccountPaused, OrgUnavailable: as `deliver`.
    """
    look_up_lost(session)
    retried = take_retries(session.ledger, session.account_id, limit=RETRIES_PER_CYCLE)
    session.ledger.commit()
    if retried:
        deliver(session)
    return retried


def deliver(session: DeliverySession) -> None:
    """Drains what is pending: new leads, then activities, then updates of people.

    Raises:
        AccountStopped: the account's configuration or credentials have to be mended.
        AccountPaused: a limit is reached; what was not sent is pending.
        OrgUnavailable: the org went away; what was not sent is pending.
    """
    for _ in range(PASSES):
        session.decided_anew = False
        create_people(session)
        send_activities(session)
        update_people(session)
        if not session.decided_anew:
            return
