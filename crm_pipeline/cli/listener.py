"""`crm-pipeline listener`: what Salesforce may ask of an account, and the keys to it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.org_metadata import write_metadata
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = typer.Typer(help="Requests from Salesforce: macros, listeners, external sources, keys.")
key_app = typer.Typer(help="Keys that let Salesforce ask: shown once, two at a time.")
app.add_typer(key_app, name="key")

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, '-' and '_'.")]
Remove = Annotated[bool, typer.Option("--remove", help="Take it away.")]


@app.command()
def configure(
    account_id: AccountId,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="YAML or JSON: all of it.")
    ] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="Take no requests any more.")] = False,
) -> None:
    """Replace all that an account takes from Salesforce by what a file says."""
    import yaml

    if off is (file is not None):
        mistake("Say either --file FILE or --off.")
    if file is None:
        _replace(account_id, None)
        say(f"Account {account_id} takes no requests.")
        return
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        mistake(f"{file} is neither YAML nor JSON.")
    if said is not None and not isinstance(said, dict):
        mistake(f"{file} is no object with macros, listeners and so on.")
    _replace(account_id, said or {})
    say(f"Account {account_id} takes requests as {file} says.")


@app.command()
def show(account_id: AccountId) -> None:
    """Show what an account takes from Salesforce, as `configure` reads it."""
    import yaml

    with transaction() as connection:
        chosen = _chosen(connection, account_id)
    if chosen is None:
        say(
            f"Account {account_id} takes no requests; `crm-pipeline listener set` switches them on."
        )
        return
    say(yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True).strip(), as_it_is=True)


@app.command("set")
def set_(
    account_id: AccountId,
    choices: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="Such as in_org=delete; none: the defaults."
        ),
    ] = None,
) -> None:
    """Choose for all requests of an account; takes requests from then on."""
    changes = [each.partition("=") for each in choices or ()]
    if any(not equals for _, equals, _ in changes):
        mistake("A choice is written NAME=VALUE, as in in_org=delete.")

    def change(chosen: dict[str, Any]) -> None:
        for name, _, value in changes:
            if value:
                chosen[name] = value
            else:
                chosen.pop(name, None)

    _change(account_id, change)
    say(
        f"Account {account_id} takes requests; `crm-pipeline listener show {account_id}` shows how."
    )


@app.command()
def macro(
    account_id: AccountId,
    name: KeyName,
    *,
    does: Annotated[
        Literal["erase", "suppress", "tell"] | None,
        typer.Option(help="erase, suppress, or tell the platform to start a macro of its own."),
    ] = None,
    in_org: Annotated[
        Literal["leave", "anonymize", "delete"] | None,
        typer.Option(help="Of erase: the fate of the person in the org."),
    ] = None,
    platform_macro: Annotated[
        str | None, typer.Option(help="Of tell: the platform's name of its macro.")
    ] = None,
    remove: Remove = False,
) -> None:
    """Set a macro, what is to happen to a person, in place of an earlier one."""
    said = {"does": does, "in_org": in_org, "platform_macro": platform_macro}
    _put(account_id, "macros", name, said, remove=remove, needed=does)


@app.command()
def add(
    account_id: AccountId,
    name: KeyName,
    *,
    macro: Annotated[str | None, typer.Option(help="The macro that it triggers.")] = None,
    passes: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="COLUMN=VALUE", help="Only such users; may be repeated."),
    ] = None,
    remove: Remove = False,
) -> None:
    """Set a listener, an address that triggers a macro, in place of an earlier one."""
    filters: dict[str, list[str]] = {}
    for column, value in _pairs(passes, "--filter country_code=GB"):
        filters.setdefault(column, []).append(value)
    said = {"macro": macro, "filter": filters or None}
    _put(account_id, "listeners", name, said, remove=remove, needed=macro)


@app.command()
def source(
    account_id: AccountId,
    name: KeyName,
    *,
    project: Annotated[str | None, typer.Option(help="The platform's project.")] = None,
    feedback_type: Annotated[str | None, typer.Option(help="The platform's type.")] = None,
    team: Annotated[str | None, typer.Option(help="Where it starts: team.")] = None,
    status: Annotated[str | None, typer.Option(help="Where it starts: status.")] = None,
    form: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME=TYPE", help="A field of the form; TYPE!: required."),
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="INCOMING=FIELD", help="What comes in, and the form's field."
        ),
    ] = None,
    submitter: Annotated[
        str | None, typer.Option(help="The incoming field with the submitter's address.")
    ] = None,
    default_submitter: Annotated[
        str | None, typer.Option(help="The platform's id of who submits what has none.")
    ] = None,
    remove: Remove = False,
) -> None:
    """Set an external source, an address that takes feedback, in place of an earlier one."""
    fields = {
        column: {"type": kind.removesuffix("!"), "required": kind.endswith("!")}
        for column, kind in _pairs(form, "--field severity=text!")
    }
    said = {
        "project": project,
        "feedback_type": feedback_type,
        "team": team,
        "status": status,
        "form": fields,
        "mapping": dict(_pairs(mapped, "--map Severity__c=severity")),
        "submitter": submitter,
        "default_submitter": default_submitter,
    }
    _put(account_id, "external_sources", name, said, remove=remove, needed=project)


@app.command("user-data")
def user_data(
    account_id: AccountId,
    name: KeyName,
    *,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="INCOMING=FIELD", help="What comes in, and the user's field."
        ),
    ] = None,
    remove: Remove = False,
) -> None:
    """Set an address that takes data to be stored with a user, in place of an earlier one."""
    said = {"mapping": dict(_pairs(mapped, "--map Plan__c=plan"))}
    _put(account_id, "user_data", name, said, remove=remove, needed=mapped)


@app.command("salesforce-project")
def salesforce_project(
    name: Annotated[str, typer.Argument(metavar="LISTENER", help="The listener that it calls.")],
    *,
    url: Annotated[str, typer.Option(help="Where Salesforce reaches the listener: https://…")],
    folder: Annotated[Path, typer.Option(help="A folder that is not there yet.")] = Path(
        "salesforce-project"
    ),
) -> None:
    """Write a project to deploy to the org: a credential, a class with its test, a flow."""
    import re
    from importlib.resources import as_file, files

    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?", url):
        mistake("The URL looks like https://crm.example.com: Salesforce calls nothing else.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        mistake("A listener's name has letters, digits, '-' and '_' only.")
    if folder.exists():
        mistake(f"{folder} is there already; name another folder.")
    with as_file(files("crm_pipeline.listener") / "salesforce_project") as templates:
        for template in sorted(path for path in templates.rglob("*") if path.is_file()):
            said = template.read_text(encoding="utf-8")
            written = folder / template.relative_to(templates)
            written.parent.mkdir(parents=True, exist_ok=True)
            filled = said.replace("@URL@", url.rstrip("/")).replace("@LISTENER@", name)
            written.write_text(filled, encoding="utf-8")
    say(f"{folder} is written; its README.md says how to deploy it, and where the key goes.")


@app.command()
def metadata(
    account_id: AccountId,
    out: Annotated[Path, typer.Option(help="A folder; it must be empty, or not there yet.")],
) -> None:
    """Write the object of feedback tickets, for an admin to deploy to the org.

    `sf project deploy start` in that folder brings it there.
    """
    from crm_pipeline.accounts.store import get_account

    with transaction() as connection:
        account = get_account(connection, account_id)
    inbound = account.settings.inbound
    chosen = None if inbound is None else inbound.feedback_in_org
    if chosen is None:
        mistake(
            f"Account {account_id} has no tickets in its org; `crm-pipeline listener set "
            f"{account_id} feedback_in_org={{}}` switches them on."
        )
    write_metadata(account, [chosen.org_object], out, permission_set="Platform_Feedback")


@key_app.command("new")
def new(account_id: AccountId) -> None:
    """Make a key and show it; it is never shown again."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.inbound.keys import make_key

    with transaction() as connection:
        get_account(connection, account_id)
        made = make_key(connection, account_id)
    say(made, as_it_is=True)
    say(
        "Keep it now: only its digest is stored. Former keys hold until they are revoked.", err=True
    )


@key_app.command("list")
def list_(account_id: AccountId) -> None:
    """List the keys of an account by their beginnings."""
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.inbound.keys import keys_of

    with transaction() as connection:
        get_account(connection, account_id)
        found = keys_of(connection, account_id)
    print_table(
        "",
        ("key", "made"),
        [(each.key_id, each.created_at) for each in found],
        empty=f"Account {account_id} has no key; `crm-pipeline listener key new` makes one.",
    )


@key_app.command()
def revoke(
    account_id: AccountId,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its beginning, as listed.")],
) -> None:
    """Take a key back; the listener refuses it within seconds."""
    from crm_pipeline.inbound.keys import key_id_of, revoke_key

    key_id = key_id_of(key) or key
    with transaction() as connection:
        held = revoke_key(connection, account_id, key_id)
    if not held:
        mistake(f"Account {account_id} has no key that begins like this one and holds.")
    say(f"{key_id} is revoked.")


def _chosen(connection: "Connection", account_id: str) -> dict[str, Any] | None:
    from crm_pipeline.accounts.store import get_account

    chosen = get_account(connection, account_id).settings.inbound
    return None if chosen is None else chosen.model_dump(mode="json", exclude_unset=True)


def _replace(account_id: str, chosen: dict[str, Any] | None) -> None:
    from crm_pipeline.accounts.store import update_settings

    with transaction() as connection:
        update_settings(connection, account_id, {"inbound": chosen})


def _change(account_id: str, change: Callable[[dict[str, Any]], None]) -> None:
    from crm_pipeline.accounts.store import hold_account, update_settings

    with transaction() as connection:
        hold_account(connection, account_id)
        chosen = _chosen(connection, account_id) or {}
        change(chosen)
        update_settings(connection, account_id, {"inbound": chosen})


def _put(
    account_id: str, part: str, name: str, said: dict[str, Any], *, remove: bool, needed: object
) -> None:
    """Sets or removes one of the named things; what was not said is the default."""
    if remove is bool(needed):
        mistake(f"Say what {name} is to be, or --remove: `--help` lists the options.")
    whole = {each: value for each, value in said.items() if value is not None}

    def change(chosen: dict[str, Any]) -> None:
        named = dict(chosen.get(part) or {})
        if remove and named.pop(name, None) is None:
            mistake(f"Account {account_id} has no {name} there.")
        if not remove:
            named[name] = whole
        chosen[part] = named

    _change(account_id, change)
    say(f"{name} is {'removed' if remove else json.dumps(whole, ensure_ascii=False)}.")


def _pairs(texts: Sequence[str] | None, example: str) -> list[tuple[str, str]]:
    found = []
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            mistake(f"{text!r} is not NAME=VALUE, as in {example}.")
        found.append((name.strip(), value.strip()))
    return found
