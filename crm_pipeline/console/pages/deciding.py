"""What an operator decides about an account that is held."""

from http import HTTPStatus

from crm_pipeline.accounts.store import touch_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.locked import locked
from crm_pipeline.console.log import note
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.ledger import holds


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
            raise ConsoleError(
                HTTPStatus.CONFLICT,
                f"Account {account_id} is not held for that any more: look at it again.",
            )
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


ACTIONS = (ActionAddress("/accounts/{account_id}/hold", ConsoleRole.operator, decide),)
