"""`crm-pipeline account org`: the org that an account delivers to, and decisions about it."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.account_login import log_in_to
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.guards import agree, agree_now
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import say_of_next_cycle
from crm_pipeline.cli.show import print_facts

if TYPE_CHECKING:
    from crm_pipeline.accounts.orgs import AccountOrg
    from crm_pipeline.delivery.same_data import KnownThere


def org(
    account_id: AccountId,
    same_data: Annotated[
        bool,
        typer.Option("--same-data", help="The org has the records that the ledger knows."),
    ] = False,
    start_anew: Annotated[
        bool, typer.Option("--start-anew", help="It has none of them: everything is sent again.")
    ] = False,
    deliver_again: Annotated[
        bool,
        typer.Option(
            "--deliver-again", help="The client goes there, though another account delivered it."
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Show the org that an account delivers to; decide when its login leads to another one.

    A decision logs in, and looks for some records of the ledger there, for an API call.
    """
    if same_data + start_anew + deliver_again > 1:
        mistake("Say one of --same-data, --start-anew and --deliver-again.")
    if deliver_again:
        _deliver_again(account_id, yes=yes)
    elif same_data or start_anew:
        _decide(account_id, start_anew=start_anew, yes=yes)
    else:
        _show(account_id)


def _show(account_id: str) -> None:
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    known = _org_of(account_id)
    print_facts(
        [
            ("delivers to org", known.organization_id),
            ("login leads to org", known.other_organization_id or known.organization_id),
            ("login URL", account.login_url),
        ]
    )


def _decide(account_id: str, *, start_anew: bool, yes: bool) -> None:
    """Has the account go on where its login leads to, as with the same data or from the start."""
    from crm_pipeline.accounts.orgs import org_of, take_other_org
    from crm_pipeline.accounts.store import touch_account
    from crm_pipeline.ledger.anew import start_anew as send_again
    from crm_pipeline.ledger.holds import approve_load

    _org_of(account_id)
    there = _look(account_id)
    known = _org_of(account_id)
    organization_id = known.other_organization_id or known.organization_id
    is_another = known.other_organization_id is not None
    if not is_another and not (start_anew and there.found < there.sought):
        mistake(
            f"Account {account_id} delivers to org {known.organization_id}, and its login leads "
            f"there: there is nothing to decide. {there}"
        )
    if not start_anew and there.sought and not there.found:
        mistake(
            f"Org {organization_id} has not the data of org {known.organization_id}: {there} "
            "Mend the login URL, or say --start-anew."
        )
    if start_anew:
        what = f"{there} {_cost(account_id)}"
    else:
        what = (
            f"{there} Records with the Ids that the ledger knows from org {known.organization_id} "
            f"are taken to be in org {organization_id}; nothing is sent again."
        )
    agree_now(what, "Go on?", yes=yes)
    with locked(account_id) as connection:
        if org_of(connection, account_id) != known:
            mistake("Meanwhile a login led to another org; say it again.")
        if is_another:
            take_other_org(connection, account_id)
        if start_anew:
            send_again(connection, account_id)
            approve_load(connection, account_id)
        touch_account(connection, account_id)
    say_of_next_cycle(
        account_id,
        f"Account {account_id} delivers to org {organization_id} from its next cycle on.",
    )


def _deliver_again(account_id: str, *, yes: bool) -> None:
    """Has the account deliver its client where another one did so in former times."""
    from crm_pipeline.accounts.orgs import deliver_again, rival_of
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger.anew import standing_of_client
    from crm_pipeline.ledger.holds import approve_load

    account, there, elsewhere = log_in_to(account_id)
    there.log_out()
    with transaction() as connection:
        rival = rival_of(connection, account, there.organization_id)
        done = standing_of_client(connection, rival.account_id).done if rival else 0
    if rival is None or not rival.is_former:
        mistake(
            f"Account {account_id}: {elsewhere}."
            if elsewhere is not None
            else f"No account has delivered client {account.client_id} to org "
            f"{there.organization_id} before: there is nothing to decide."
        )
    agree_now(
        f"Account {rival.account_id} has delivered client {account.client_id} to org "
        f"{there.organization_id} before; {done} of its operations are done. Account {account_id} "
        "delivers all rows of that client there again: people are known by their addresses, "
        "activities that are still there would be there twice.",
        "Deliver them again?",
        yes=yes,
    )
    with locked(account_id) as connection:
        if get_account(connection, account_id) != account:
            mistake(f"Account {account_id} was changed meanwhile; say it again.")
        deliver_again(connection, account, there.organization_id)
        approve_load(connection, account_id)
        touch_account(connection, account_id)
    say_of_next_cycle(
        account_id,
        f"Account {account_id} delivers to org {there.organization_id} from its next cycle on.",
    )


def adopt(account_id: AccountId, yes: Yes = False) -> None:
    """After a restored backup: seek in the org what is to be sent, and keep what is there."""
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger.copies import take_for_sent
    from crm_pipeline.ledger.external_activities import take_for_told
    from crm_pipeline.ledger.holds import approve_load

    with transaction() as connection:
        get_account(connection, account_id)
    with locked(account_id) as connection:
        taken = take_for_sent(connection, account_id)
        what = (
            f"{taken} activities are taken for sent: each is sought in the org, also as it was "
            "before the source changed it, and only what is not there is sent. The notes of the "
            "next cycle say what is left to people: records that are no row's any more, and fields "
            f"that `crm-pipeline conflict list {account_id}` asks about."
        )
        if told := take_for_told(connection, account_id):
            what += (
                f" {told} stages of memberships may have been told to Account Engagement, where "
                "each one counts: they are not told again."
            )
        agree(what, "Go on?", yes=yes)
        approve_load(connection, account_id)
        touch_account(connection, account_id)
    say_of_next_cycle(account_id, f"Account {account_id} goes on with its next cycles.")


def _org_of(account_id: str) -> "AccountOrg":
    from crm_pipeline.accounts.orgs import org_of
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        get_account(connection, account_id)
        known = org_of(connection, account_id)
    if known is None:
        mistake(f"Account {account_id} has not logged in to an org yet.")
    return known


def _look(account_id: str) -> "KnownThere":
    """Logs in, and looks in the org for some of the ledger's records."""
    from crm_pipeline.delivery.same_data import OF_EACH, look_for
    from crm_pipeline.ledger.anew import some_known_records

    _, there, _ = log_in_to(account_id)
    with transaction() as connection:
        known = some_known_records(connection, account_id, of_each=OF_EACH)
    try:
        return look_for(there, known)
    finally:
        there.log_out()


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
        f"about {calls} API calls. An org that has such activities of ours already stops the "
        f"account, and `crm-pipeline account adopt {account_id}` keeps what is there."
    )
