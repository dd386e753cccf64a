"""`crm-pipeline account send-again`: what was read before, by settings that changed later."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.databases import locked, transaction
from crm_pipeline.cli.guards import agree, rows_of_client
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.next_cycle import lift_brake, say_of_next_cycle
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import counted
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.sources.clients import Client


def send_again(
    account_id: AccountId,
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIELD]...", help="Fields, as in Phone: of whatever object."),
    ] = None,
    all_fields: Annotated[bool, typer.Option("--all-fields", help="All that are filled.")] = False,
    yes: Yes = False,
) -> None:
    """Read all rows again, and send what settings and mapping say otherwise now.

    Fields that are named are written to people who are in the org as the account's policy says
    now, though the warehouse says nothing new of them; of activities, members and campaigns to
    those that went without them, as the org hid them. Says first what it costs.
    """
    from crm_pipeline.accounts.store import (
        describe_again,
        field_mappings,
        get_account,
        read_from_the_start,
        touch_account,
    )
    from crm_pipeline.ledger.again import (
        people_with_fields,
        send_fields_again,
        send_hidden_again,
    )

    with transaction() as connection:
        account = get_account(connection, account_id)
        mappings = field_mappings(connection, account_id)
        of_others = _of_others(account, mappings)
        chosen = _spelt(account, mappings, fields or (), of_others, all_fields=all_fields)
    with locked(account_id) as connection:
        people = people_with_fields(connection, account_id, chosen) if chosen else 0
        lacking = [name for name in chosen if name.lower() in of_others]
        others = send_hidden_again(connection, account_id, lacking, really=False)
        client = rows_of_client(account.client_id)
        agree(_cost(client, chosen, people, others), "Go on?", yes=yes)
        if chosen:
            send_fields_again(connection, account_id, chosen)
            send_hidden_again(connection, account_id, lacking)
        describe_again(connection, account_id)
        read_from_the_start(connection, account_id)
        lift_brake(connection, account, max(client.rows, people) if client else None)
        touch_account(connection, account_id)
    say_of_next_cycle(account_id, f"Account {account_id} does so in its next cycle.")


def join_attendances(account_id: AccountId, yes: Yes = False) -> None:
    """Read all rows again, and delete activities of visits that are part of another attendance.

    Of somebody who came back there is one attendance; before, each visit had an activity, and
    these stay until this is asked for. Says first what it costs.
    """
    from crm_pipeline.accounts.store import get_account, read_from_the_start, touch_account
    from crm_pipeline.ledger.visits import attendances_in_org, take_as_own
    from crm_pipeline.salesforce.budget import composite_calls

    with transaction() as connection:
        account = get_account(connection, account_id)
    with locked(account_id) as connection:
        there = attendances_in_org(connection, account_id)
        most = there.attendances - there.people
        if not most:
            mistake(f"Nobody has more than one attendance in the org of account {account_id}.")
        calls = composite_calls({("Event", "delete"): most})
        client = rows_of_client(account.client_id)
        agree(
            f"{_cost(client)} Of {there.attendances} attendances in the org, of "
            f"{there.people} {'person' if there.people == 1 else 'people'}, at most "
            f"{most} are visits of somebody who came back; these are deleted, "
            f"with at most {counted(calls, 'API call')} more.",
            "Go on?",
            yes=yes,
        )
        take_as_own(connection, account_id)
        read_from_the_start(connection, account_id)
        lift_brake(connection, account, max(client.rows, most) if client else None)
        touch_account(connection, account_id)
    say_of_next_cycle(account_id, f"Account {account_id} does so in its next cycle.")


def believe_vanished(account_id: AccountId, yes: Yes = False) -> None:
    """Say that rows which vanished in great number are meant: what is of them goes, too."""
    from crm_pipeline.accounts.store import get_account, touch_account
    from crm_pipeline.ledger import counts

    with transaction() as connection:
        account = get_account(connection, account_id)
        is_deleting = account.settings.vanished == "delete"
        becomes = (
            "has up to so many deleted in the org"
            if is_deleting
            else "does not send what was not sent yet of up to so many; what the org has of them "
            "stays, unless `vanished=delete` is set"
        )
        found = counts.vanished_rows(connection, account_id)
        if not found:
            mistake(f"By the last count no row of account {account_id} has vanished.")
        if is_deleting and any(each.source == "tracked leads" for each in found):
            becomes += "; tracked leads count no more, and the records of people stay"
        numbers = " and ".join(f"{each.rows} {each.source}" for each in found)
        agree(
            f"{numbers} that were read were not in the warehouse any more at "
            f"{shown(found[0].counted_at)}. The next cycle counts again, and {becomes}.",
            "Delete them?" if is_deleting else "Believe that they are gone?",
            yes=yes,
        )
        counts.believe_vanished(connection, account_id)
        lift_brake(connection, account, sum(each.rows for each in found))
        touch_account(connection, account_id)
    say_of_next_cycle(account_id, f"Account {account_id} believes it in its next cycle.")


def tell_of_rows(connection: "Connection", account_id: str, what: str) -> None:
    """Says how rows that were read before get what was just changed, where there are any."""
    if has_read(connection, account_id):
        say_once(
            f"Rows that were read before {what}; `crm-pipeline account send-again {account_id}` "
            "reads them again."
        )


_OF_ROWS = (
    "start_at",
    "lead_source",
    "people_from_stages",
    "roles",
    "attended_at_least_minutes",
    "early_visits_count",
    "activities",
    "activity_text",
    "activity_subject",
    "on_demand_subject",
    "cancelled_activity",
    "redaction",
)
"""Settings by which rows go when they are read."""


def tell_of_settings(
    connection: "Connection", before: "AccountSettings", account: "Account"
) -> None:
    """Says how rows that were read before go by settings that were just changed."""
    after = account.settings
    if changed := [name for name in _OF_ROWS if getattr(before, name) != getattr(after, name)]:
        went = f"went by the former {', '.join(changed)}"
        tell_of_rows(connection, account.account_id, went)


def check_policies(
    account: "Account", mappings: "Sequence[FieldMapping]", former: Collection[str]
) -> None:
    """Refuses a new policy for a field that is not filled: of a typo it would keep nothing.

    Args:
        account: as it is to be.
        mappings: its overrides, likewise.
        former: the fields that have a policy already.
    """
    new = [name for name in account.settings.person_field_policies if name not in former]
    _spelt(account, mappings, new, {}, all_fields=False)


def tell_of_people(connection: "Connection", before: "AccountSettings", account: "Account") -> None:
    """Says how people who are in the org get what a changed policy lets through, and how many."""
    changed = sorted(_policies_that_differ(connection, before, account))
    if changed and has_read(connection, account.account_id):
        from crm_pipeline.ledger.again import people_with_fields

        names = "--all-fields" if len(changed) > _FEW else " ".join(changed)
        people = people_with_fields(connection, account.account_id, changed)
        say_once(
            f"People who are in the org ({people}) have these fields as they are until the "
            "warehouse says something new; `crm-pipeline account send-again "
            f"{account.account_id} {names}` goes by the new policy at once."
        )


_FEW = 4
"""So many fields are named; more of them are all."""


def has_read(connection: "Connection", account_id: str) -> bool:
    """Returns whether any rows of the account were read."""
    from crm_pipeline.ledger.positions import positions_of_accounts

    return bool(positions_of_accounts(connection, [account_id]))


def _policies_that_differ(
    connection: "Connection", before: "AccountSettings", account: "Account"
) -> Collection[str]:
    from crm_pipeline.accounts.store import field_mappings

    known = _mapped(account, field_mappings(connection, account.account_id)).values()
    return [name for name in known if before.policy(name) != account.settings.policy(name)]


_PEOPLE = ("Lead", "Contact")

_KINDS = {"activity": "Activities", "member": "Memberships", "campaign": "Campaigns"}


def _mapped(account: "Account", mappings: "Sequence[FieldMapping]") -> Mapping[str, str]:
    """The fields of people that are filled, by their names in small letters."""
    from crm_pipeline.sources.mapping import field_maps

    maps = field_maps(account.settings, mappings)
    attribution = account.settings.attribution
    filled = [
        *(name for s in _PEOPLE for name in (*maps[s].sources, *maps[s].constants)),
        *(field for field, _ in (attribution.written_fields() if attribution else ())),
    ]
    return {name.lower(): name for name in filled}


def _spelt(
    account: "Account",
    mappings: "Sequence[FieldMapping]",
    fields: Collection[str],
    of_others: Mapping[str, str],
    *,
    all_fields: bool,
) -> list[str]:
    """The fields as the mapping spells them; the object before a field may be left out."""
    from crm_pipeline.near_names import near

    known = {**of_others, **_mapped(account, mappings)}
    if all_fields:
        return sorted(known.values())
    chosen = []
    for typed in fields:
        name = typed.strip().rpartition(".")[2].lower()
        if name not in known:
            likely = near(name, known.values(), 1)
            meant = f"; did you mean {likely[0]}?" if likely else "."
            whom = " that may be sent again" if of_others else " of people"
            mistake(f"Account {account.account_id} fills no field {typed!r}{whom}{meant}")
        chosen.append(known[name])
    return chosen


def _of_others(account: "Account", mappings: "Sequence[FieldMapping]") -> Mapping[str, str]:
    """The fields of activities, memberships and campaigns that are filled, likewise."""
    from crm_pipeline.flows.campaigns.rules import campaign_map, member_map
    from crm_pipeline.sources.mapping import field_maps

    mapped = [field_maps(account.settings, mappings)["Event"]]
    if (campaigns := account.settings.campaigns) is not None:
        mapped.append(member_map(mappings, join_link_field=campaigns.join_link_field))
        mapped.append(campaign_map(mappings))
    filled = [name for each in mapped for name in (*each.sources, *each.constants)]
    return {name.lower(): name for name in ("Description", "DurationInMinutes", *filled)}


def _cost(
    client: "Client | None",
    fields: Collection[str] = (),
    people: int = 0,
    others: Mapping[str, int] | None = None,
) -> str:
    from crm_pipeline.salesforce.budget import composite_calls
    from crm_pipeline.salesforce.data_storage import megabytes

    what = "All rows of the client are read again: what settings and mapping say otherwise is sent."
    if client is not None:
        rows = client.rows
        calls = composite_calls({("Lead", "update"): rows, ("Event", "update"): rows})
        what = (
            f"{counted(rows, 'row')} of client {client.client_id} are read again: what "
            f"settings and mapping say otherwise is sent, at most {calls} API calls and "
            f"{megabytes(2 * rows)} MB of data storage."
        )
    if fields:
        what += (
            f" Of {people} people in the org {', '.join(fields)} are written as the policy says"
            " now, over what stands there where it says so."
        )
    for kind, number in sorted((others or {}).items()):
        what += f" {_KINDS[kind]} that went without them ({number}) get them now."
    return what
