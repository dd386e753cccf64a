"""External activities of Account Engagement: stages of members, each told once."""

from collections.abc import Mapping

from crm_pipeline.accounts.campaigns import AccountEngagement
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.external_activities import (
    Became,
    DueExternalActivity,
    activity_is_due_again,
    due_activities,
    note_activity,
    told_in_a_day,
)
from crm_pipeline.salesforce.errors import (
    AccountStopped,
    LostAnswer,
    RequestRefused,
    SalesforceProblem,
    Withheld,
)

PATH = "/api/v5/external-activities"
HOSTS = {False: "pi.pardot.com", True: "pi.demo.pardot.com"}
"""Of Account Engagement, by whether the business unit is a sandbox's."""


def tell_activities(desk: Desk, topic: str, chosen: AccountEngagement) -> None:
    """Hands in what is due, a call each, so many in 24 hours; commits before and after each.

    One without an answer is not handed in again, as each one counts.

    Raises:
        AccountStopped: the login may not speak to Account Engagement.
        SalesforceProblem: as `Org.request`.
    """
    account_id = desk.ledger.account_id
    types: Mapping[str, str] = {stage: name for stage, name in chosen.types.items()}  # noqa: C416
    with desk.ledger.step() as connection:
        due = due_activities(connection, account_id, types)
        left = max(0, chosen.most_per_day - told_in_a_day(connection, account_id))
    desk.tally[topic, "waiting"] += max(0, len(due) - left)
    for each in due[:left]:
        desk.allowance.demand_calls()
        org = desk.org.log_in()
        with desk.ledger.step() as connection:
            note_activity(connection, account_id, each, "sending")
        try:
            org.request(
                "external_activity",
                "POST",
                PATH,
                json={
                    "extension": chosen.extension,
                    "type": types[each.stage],
                    "email": each.address,
                    "value": each.name or "",
                },
                headers={"Pardot-Business-Unit-Id": chosen.business_unit},
                writes=True,
                host=HOSTS[chosen.sandbox],
            )
        except LostAnswer:
            desk.tally[topic, "unsure"] += 1
            continue
        except (Withheld, RequestRefused):
            became: Became = "refused"
        except AccountStopped as stopped:
            _put_off(desk, each)
            raise AccountStopped(
                f"Account Engagement refuses the login: {stopped}",
                "log in by OAuth, with an app that has the scope pardot_api and a user of the "
                "business unit, or switch account_engagement of the account's campaigns off",
            ) from None
        except SalesforceProblem:
            _put_off(desk, each)
            raise
        else:
            became = "told"
        with desk.ledger.step() as connection:
            note_activity(connection, account_id, each, became)
        desk.tally[topic, became] += 1


def _put_off(desk: Desk, each: DueExternalActivity) -> None:
    with desk.ledger.step() as connection:
        activity_is_due_again(connection, desk.ledger.account_id, each)
