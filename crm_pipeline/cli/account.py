"""`crm-pipeline account`: the clients' accounts, and how to get into their orgs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from crm_pipeline.cli import (
    account_activate,
    account_again,
    account_files,
    account_filter,
    account_login,
    account_mapping,
    account_org,
    account_remove,
    account_session,
)
from crm_pipeline.cli.account_dictionary import dictionary
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.attribution import confirm_attribution
from crm_pipeline.cli.campaign_questions import (
    confirm_from_salesforce,
    confirm_reading,
    storage_before_reading,
)
from crm_pipeline.cli.credentials_input import CredentialsFile, LoginMethod, Method, credentials
from crm_pipeline.cli.databases import is_set_up, locked, migrated, say_done, transaction
from crm_pipeline.cli.engagement import confirm_engagement, storage_before_set
from crm_pipeline.cli.guards import agree, check_client
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.opportunities import confirm_filter, opportunities
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import print_facts, print_table, say
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.store import AccountOverview
    from crm_pipeline.salesforce.data_storage import DataStorage

_ITSELF = ("client", "name", "login_url")

app = typer.Typer(help="The clients' accounts: settings, credentials, filters, sessions, mappings.")
app.add_typer(account_filter.app, name="filter")
app.add_typer(account_session.app, name="session")
app.add_typer(account_mapping.app, name="mapping")
app.command("activate")(account_activate.activate)
app.command("credentials")(account_login.credentials)
app.command("test-login")(account_login.try_login)
app.command("org")(account_org.org)
app.command("export")(account_files.export)
app.command("apply")(account_files.apply)
app.command("check")(account_files.check)
app.command("schema")(account_files.schema)
app.command("remove")(account_remove.remove)
app.command("adopt")(account_org.adopt)
app.command("believe-vanished")(account_again.believe_vanished)
app.command("join-attendances")(account_again.join_attendances)
app.command("send-again")(account_again.send_again)
app.command()(dictionary)
app.command("opportunities")(opportunities)
app.command("new-key")(account_login.new_key)
app.command("rotate-keys")(account_login.rotate_keys)


@app.command()
def add(
    account_id: AccountId,
    *,
    client: Annotated[str, typer.Option(help="The warehouse's client_id.")],
    name: Annotated[str, typer.Option(help="What people call the client.")],
    login_url: Annotated[
        str, typer.Option(help="The org's My Domain, as https://acme.my.salesforce.com.")
    ],
    method: LoginMethod = Method.client_credentials,
    credentials_file: CredentialsFile = None,
    yes: Yes = False,
) -> None:
    """Add an account as a draft, with the credentials of its org."""
    from crm_pipeline.accounts.account import Account, AccountSettings
    from crm_pipeline.accounts.credentials import set_credentials
    from crm_pipeline.accounts.store import add_account, list_accounts

    account = Account(
        account_id, client.strip(), name, login_url, False, AccountSettings(), draft=True
    )
    database = migrated()
    with database.connect() as connection:
        # Impossible settings are refused before anything is asked, and nothing is held meanwhile.
        add_account(connection, account)
        others = [a.account_id for a in list_accounts(connection) if a.client_id == client.strip()]
    check_client(account.client_id, yes=yes)
    for other in others:
        if other != account_id:
            say(f"Account {other} is this client, too; in one org only one may be.")
    given = credentials(credentials_file, method)
    with transaction() as connection:
        add_account(connection, account)
        set_credentials(connection, account_id, given)
    say(
        f"Added account {account_id} as a draft; try its login with `crm-pipeline account "
        f"test-login {account_id}`. Nothing is sent before `crm-pipeline account activate "
        f"{account_id}`."
    )


@app.command("clients")
def clients_() -> None:
    """List the clients that the warehouse has rows of, with their accounts."""
    from crm_pipeline.accounts.store import AccountOverview, list_accounts
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import clients

    accounts: list[AccountOverview] = []
    if is_set_up():
        with transaction() as connection:
            accounts = list_accounts(connection)
    found = clients(engine("warehouse"))
    print_table(
        "",
        ("client", "registrations", "attendances", "newest row", "account"),
        [
            (
                each.client_id,
                each.registrations,
                each.attendances,
                each.newest,
                ", ".join(a.account_id for a in accounts if a.client_id == each.client_id),
            )
            for each in found
        ],
        empty="The warehouse has no rows yet.",
    )


@app.command("list")
def list_() -> None:
    """List all accounts."""
    from crm_pipeline.accounts.store import list_accounts

    with transaction() as connection:
        accounts = list_accounts(connection)
    print_table(
        "",
        ("account", "name", "client", "login URL", "cycles", "credentials"),
        [
            (a.account_id, a.name, a.client_id, a.login_url, _cycles(a), a.credentials)
            for a in accounts
        ],
        empty="There is no account yet; add one with `crm-pipeline account add`.",
    )


@app.command()
def show(account_id: AccountId) -> None:
    """Show an account, what it chose, and what each setting does."""
    from crm_pipeline.accounts.credentials import has_credentials, refused
    from crm_pipeline.accounts.store import (
        field_mappings,
        filter_strings,
        get_account,
        pushed_sessions,
    )

    with transaction() as connection:
        account = get_account(connection, account_id)
        stored = "set" if has_credentials(connection, account_id) else "missing"
        refusal = refused(connection, account_id)
        filters = filter_strings(connection, account_id)
        sessions = pushed_sessions(connection, account_id)
        mappings = field_mappings(connection, account_id)
    print_facts(
        [
            ("account", account.account_id),
            ("name", account.name),
            ("client", account.client_id),
            ("login URL", account.login_url),
            ("cycles", _cycles(account)),
            ("credentials", f"refused: {refusal}" if refusal else stored),
            ("filters", ", ".join(filters) or "none"),
            ("sessions", ", ".join(str(s.event_session_id) for s in sessions) or "all"),
            ("mapping overrides", ", ".join(f"{m.sobject}.{m.field}" for m in mappings) or "none"),
        ]
    )
    settings = account.settings
    print_table(
        "Settings",
        ("setting", "value", "chosen", "what it does"),
        [
            (name, _shown(value), name in settings.model_fields_set, field.description)
            for name, field in type(settings).model_fields.items()
            for value in [getattr(settings, name)]
        ],
        empty="",
    )


@app.command()
def history(
    account_id: AccountId,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
) -> None:
    """Show who changed which setting, mapping, filter, session or credentials, and when."""
    from crm_pipeline.accounts.store import account_changes, get_account

    with transaction() as connection:
        get_account(connection, account_id)
        changes = account_changes(connection, account_id, limit)
    print_table(
        "",
        ("when", "who", "what", "was", "became"),
        [(c.changed_at, c.changed_by, c.choice, c.was, c.became) for c in changes],
        empty=f"Nothing of account {account_id} was changed since changes are noted.",
    )


@app.command("set")
def set_(
    account_id: AccountId,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SETTING=VALUE]...", help="Without a value: back to the default."),
    ] = None,
    *,
    client: Annotated[str | None, typer.Option(help="The warehouse's client_id.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call the client.")] = None,
    login_url: Annotated[str | None, typer.Option(help="The org's My Domain.")] = None,
    yes: Yes = False,
) -> None:
    """Change settings, the name, the client or the login URL; the rest stays.

    Name, client and login URL may be said as name=…, client=… and login_url=…, too.
    """
    changes = _changes(settings or ())
    itself = _of_itself(changes, {"client": client, "name": name, "login_url": login_url})
    if not changes and not itself:
        mistake(
            f"Nothing to change: say SETTING=VALUE, as parallel_requests=2; `crm-pipeline account "
            f"show {account_id}` lists the settings."
        )
    _check_names(changes)
    change(account_id, changes, itself, ask_org(account_id, changes, yes=yes), yes=yes)


class OrgStorage(NamedTuple):
    """An org's data storage, as far as settings that are to be stored may make much there."""

    for_campaigns: "DataStorage | None" = None
    for_engagement: "DataStorage | None" = None


def ask_org(account_id: str, changes: Mapping[str, str | None], *, yes: bool) -> OrgStorage:
    """Asks the org what has to be known before settings change; while no transaction is open.

    Says of how many members the platform would be told, and ends the command unless the person
    agrees.

    Args:
        account_id: the account.
        changes: the settings as they are typed; None: back to the default.
        yes: whether they agreed beforehand.
    """
    campaigns = changes.get("campaigns")
    confirm_from_salesforce(account_id, campaigns, yes=yes)
    return OrgStorage(
        storage_before_reading(account_id, campaigns) if campaigns else None,
        storage_before_set(account_id, changes.get("engagement")),
    )


def change(
    account_id: str,
    changes: Mapping[str, str | None],
    itself: Mapping[str, str],
    storage: OrgStorage,
    *,
    yes: bool,
) -> None:
    """Stores settings, and what is the account's own; says what they do, and asks where it is much.

    Args:
        account_id: the account.
        changes: the settings as they are typed; None: back to the default.
        itself: its client, name and login_url, as far as they change.
        storage: what the org said (`ask_org`).
        yes: whether the person agreed beforehand.
    """
    from crm_pipeline.accounts.store import (
        field_mappings,
        hold_account,
        update_account,
        update_settings,
    )
    from crm_pipeline.cli.settings_what_if import tell_effect_of_settings

    with locked(account_id) if "client" in itself else transaction() as connection:
        hold_account(connection, account_id)
        before = _settings_before(connection, account_id)
        account = update_settings(connection, account_id, changes)
        account_again.check_policies(
            account, field_mappings(connection, account_id), before.person_field_policies
        )
        if itself.get("client", account.client_id) != account.client_id:
            _become_client(connection, account, itself["client"], yes=yes)
        update_account(
            connection,
            replace(
                account,
                client_id=itself.get("client", account.client_id),
                name=itself.get("name", account.name),
                login_url=itself.get("login_url", account.login_url),
            ),
        )
        tell_effect_of_settings(connection, replace(account, settings=before), account, yes=yes)
        confirm_reading(connection, account_id, storage=storage.for_campaigns, yes=yes)
        confirm_attribution(connection, before, account, yes=yes)
        confirm_filter(connection, before, account, yes=yes)
        confirm_engagement(connection, before, account, storage.for_engagement, yes=yes)
        account_again.tell_of_people(connection, before, account)
        account_again.tell_of_settings(connection, before, account)
        if "read_back_minutes" in changes:
            _say_cost_of_reading_back(account)
    say_done(f"Account {account_id} is changed; its next cycle goes by it.")


@app.command()
def disable(account_id: AccountId) -> None:
    """Start no further cycle for an account; nothing of it is deleted."""
    from crm_pipeline.accounts.store import disable_account, get_account

    with transaction() as connection:
        if get_account(connection, account_id).draft:
            mistake(f"Account {account_id} is a draft: it has no cycles.")
        disable_account(connection, account_id)
    say(f"Account {account_id} is disabled; a cycle that runs now ends by itself.")


@app.command()
def enable(account_id: AccountId) -> None:
    """Start cycles for a disabled account again."""
    from crm_pipeline.accounts.store import enable_account

    with transaction() as connection:
        enable_account(connection, account_id)
    say(f"Account {account_id} is enabled.")


def _cycles(account: "Account | AccountOverview") -> str:
    """Says whether an account has cycles, and why it has none."""
    if account.draft:
        return "none, a draft"
    return "yes" if account.enabled else "none, disabled"


def _settings_before(connection: "Connection", account_id: str) -> "AccountSettings":
    """Returns the choices so far; the defaults where broken settings are about to be repaired."""
    from crm_pipeline.accounts.account import AccountError, AccountSettings
    from crm_pipeline.accounts.store import get_account

    try:
        return get_account(connection, account_id).settings
    except AccountError:
        return AccountSettings()


def _say_cost_of_reading_back(account: "Account") -> None:
    """Says how many API calls a day the account's pace costs."""
    from crm_pipeline.cycle.read_back import calls_a_day, watched_fields
    from crm_pipeline.flows.registry import FLOWS
    from crm_pipeline.settings import settings

    chosen = ((flow, flow.settings(account.settings)) for flow in FLOWS)
    objects = watched_fields([(flow, choices) for flow, choices in chosen if choices is not None])
    minutes = account.settings.read_back_minutes or settings().cycle_minutes
    for_five = calls_a_day(5, minutes)
    now = calls_a_day(len(objects), minutes)
    say_once(
        f"Reading the org back every {minutes} minutes costs {for_five} API calls a day for five "
        f"objects; {now} for the {len(objects)} that this account's flows watch now."
    )


def _of_itself(changes: dict[str, str | None], options: Mapping[str, str | None]) -> dict[str, str]:
    """Takes what is no setting but the account's own out of the changes, and adds the options."""
    said = {name: value.strip() for name, value in options.items() if value is not None}
    for name in options.keys() & changes.keys():
        value = changes.pop(name)
        if value is None:
            mistake(f"{name} has no default to go back to; say {name}=VALUE.")
        if said.setdefault(name, value) != value:
            mistake(f"{name} is said twice, in two ways.")
    return said


def _check_names(changes: Mapping[str, str | None]) -> None:
    """Refuses settings that do not exist; what is stored under such a name may be taken away."""
    from crm_pipeline.accounts.account import AccountSettings
    from crm_pipeline.near_names import near

    known = [*_ITSELF, *AccountSettings.model_fields]
    for name, value in changes.items():
        if name not in known and value is not None:
            likely = near(name, known, 1)
            meant = (
                f"; did you mean {likely[0]}?"
                if likely
                else f". Those that exist: {', '.join(known)}."
            )
            mistake(f"There is no setting {name!r}{meant}")


def _become_client(
    connection: "Connection", account: "Account", client_id: str, *, yes: bool
) -> None:
    """Makes the account another client, with positions to match; says first what that does."""
    from crm_pipeline.accounts.orgs import leave_client_in_org
    from crm_pipeline.accounts.store import pushed_sessions
    from crm_pipeline.ledger.anew import become_another_client, standing_of_client
    from crm_pipeline.ledger.holds import approve_load

    check_client(client_id, yes=yes)
    standing = standing_of_client(connection, account.account_id)
    if standing.read_until is None and not standing.done and not standing.unsent:
        return
    listed = len(pushed_sessions(connection, account.account_id))
    agree(
        f"Account {account.account_id} has read client {account.client_id} until "
        f"{shown(standing.read_until) or 'its first row'}. Its {standing.done} operations that are "
        f"done stay in the org, {standing.unsent} that were not sent are forgotten. From the next "
        f"cycle on all rows of client {client_id} go to the same org, from the first one."
        + (f" Only those of the {listed} sessions that it lists, though." if listed else ""),
        f"Make it client {client_id}?",
        yes=yes,
    )
    leave_client_in_org(connection, account.account_id)
    become_another_client(connection, account.account_id)
    approve_load(connection, account.account_id)


def _shown(value: object) -> object:
    """A group of settings as it can be typed; what was not chosen in it is left out."""
    import json

    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump_json(exclude_unset=True)
    return json.dumps(value) if isinstance(value, dict) else value


def _changes(said: Iterable[str]) -> dict[str, str | None]:
    """Returns what was said of settings, by their names."""
    changes: dict[str, str | None] = {}
    for name, value in map(_setting, said):
        if changes.setdefault(name, value) != value:
            mistake(f"{name} is said twice, in two ways.")
    return changes


def _setting(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not equals:
        mistake(f"{text!r} is not SETTING=VALUE, as in parallel_requests=2.")
    return name.strip(), value.strip() or None
