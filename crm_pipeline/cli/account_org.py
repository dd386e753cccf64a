"""`crm-pipeline account org`: what is to become of the ledger in another org."""

from typing import Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.guards import agree
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_facts, say


def org(
    account_id: AccountId,
    same_data: Annotated[
        bool,
        typer.Option("--same-data", help="The new org has the records of the former one."),
    ] = False,
    start_anew: Annotated[
        bool, typer.Option("--start-anew", help="It has none of them: everything is sent again.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Show the org that an account delivers to; decide when its login leads to another one."""
    from crm_pipeline.accounts.orgs import org_of, take_other_org
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger.anew import start_anew as send_again

    with transaction() as connection:
        account = get_account(connection, account_id)
        known = org_of(connection, account_id)
    if known is None:
        mistake(f"Account {account_id} has not logged in to an org yet.")
    if not same_data and not start_anew:
        print_facts(
            [
                ("delivers to org", known.organization_id),
                ("login leads to org", known.other_organization_id or known.organization_id),
                ("login URL", account.login_url),
            ]
        )
        return
    if same_data and start_anew:
        mistake("Say --same-data or --start-anew, not both.")
    if known.other_organization_id is None:
        mistake(
            f"Account {account_id} delivers to org {known.organization_id}, and its login leads "
            "there: there is nothing to decide."
        )
    with locked(account_id) as connection:
        what = (
            _cost(account_id)
            if start_anew
            else f"Records with the Ids that the ledger knows from org {known.organization_id} are "
            f"taken to be in org {known.other_organization_id}; nothing is sent again."
        )
        agree(what, "Go on?", yes=yes)
        taken = take_other_org(connection, account_id)
        if start_anew:
            send_again(connection, account_id)
        touch_account(connection, account_id)
    say(f"Account {account_id} delivers to org {taken} from its next cycle on.")


def adopt(account_id: AccountId, yes: Yes = False) -> None:
    """After a restored backup: seek in the org what is to be sent, and keep what is there."""
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger.copies import take_for_sent

    with transaction() as connection:
        get_account(connection, account_id)
    with locked(account_id) as connection:
        taken = take_for_sent(connection, account_id)
        what = (
            f"{taken} activities are taken for sent: each is sought under its person in the org, "
            "and only what is not there is sent."
        )
        agree(what, "Go on?", yes=yes)
        touch_account(connection, account_id)
    say(f"Account {account_id} goes on with its next cycles.")


def _cost(account_id: str) -> str:
    from crm_pipeline.ledger.anew import volume_to_start_anew
    from crm_pipeline.salesforce.budget import choose_route, forecast_calls

    with transaction() as connection:
        volume = volume_to_start_anew(connection, account_id)
    volumes = {
        ("Lead", "create"): volume.people,
        ("Event", "create"): volume.activities,
        ("Campaign", "create"): volume.campaigns,
        ("CampaignMember", "create"): volume.members,
        ("", "create"): volume.records,
    }
    route = choose_route(volumes, latency=None, calls_left=None)
    calls = forecast_calls(volume.people + volume.members, volumes, route.name)
    return (
        f"{volume.people} people are looked up again, and {volume.activities} activities, "
        f"{volume.campaigns} campaigns, {volume.members} members and {volume.records} other "
        "records are sent again: "
        f"about {calls} API calls. An org that has them already would have activities twice."
    )
