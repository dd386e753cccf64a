"""What an operator decides about an account that is held."""

from http import HTTPStatus

from sqlalchemy import Connection

from crm_pipeline.accounts.store import touch_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.locked import locked
from crm_pipeline.console.log import note
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.ledger import holds
from crm_pipeline.text import shown


def decide(order: Order) -> ActionDone:
    """Approves or rejects the hold that was shown, not one that has come since."""
    account_id, does, why = order.path["account_id"], order.said("do"), order.said("why")
    if does not in ("approve", "reject"):
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say whether to approve or to reject.")
    if does == "reject" and not why:
        raise ConsoleError(
            HTTPStatus.BAD_REQUEST, "Say why it is rejected: it is what is left of it."
        )
    who = order.somebody.name
    with locked(order, account_id) as connection:
        held = holds.open_hold(connection, account_id)
        if held is None or str(held.hold_id) != order.said("hold"):
            raise _decided(connection, account_id, order.said("hold"))
        if does == "approve":
            holds.approve(connection, held, decided_by=who, why=why or None)
            sentence = "Approved: the next cycle sends it."
        else:
            dropped = holds.reject(connection, held, decided_by=who, why=why)
            sentence = f"Rejected: {dropped} operations are dropped, the rest goes on."
        touch_account(connection, account_id)
        about = f"hold {held.hold_id}"
        note(connection, order.somebody, does, account_id=account_id, detail=about)
    return ActionDone(sentence, f"/accounts/{account_id}")


def _decided(connection: Connection, account_id: str, hold: str) -> ConsoleError:
    """Says what became of a hold about which nothing is to be decided any more."""
    for past in holds.last_holds(connection, account_id):
        if str(past.hold_id) == hold and past.decision is not None:
            by = f" by {past.decided_by}" if past.decided_by else ""
            told = f"This hold has {_BECAME[past.decision]}{by}, at {shown(past.decided_at)}."
            return ConsoleError(HTTPStatus.CONFLICT, f"{told} What you chose is not done.")
    return ConsoleError(
        HTTPStatus.CONFLICT,
        f"Account {account_id} is not held for that any more: look at it again.",
    )


_BECAME: dict[holds.Verdict, str] = {
    "approved": "been approved",
    "rejected": "been rejected",
    "lapsed": "lapsed, as nothing of it waited any more",
}

ACTIONS = (
    ActionAddress(
        "/accounts/{account_id}/hold", ConsoleRole.operator, decide, page="/accounts/{account_id}"
    ),
)
