"""`crm-pipeline account mapping`: where an account's fields get their values from."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.account_again import tell_of_rows
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.campaign_questions import confirm_reading
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_table, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.store import FieldMapping

app = typer.Typer(help="Overrides of the default field mapping.")

FieldName = Annotated[str, typer.Argument(metavar="OBJECT.FIELD", help="As in Lead.Region__c.")]


@app.command("set")
def set_(
    account_id: AccountId,
    field: FieldName,
    *,
    source: Annotated[str | None, typer.Option(help="Column of the extracts.")] = None,
    constant: Annotated[str | None, typer.Option(help="The same value for everybody.")] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="Do not send the field.")] = False,
    yes: Yes = False,
) -> None:
    """Fill a field from a column, with a constant, or not at all.

    Says first how many records that would change, and asks where these are very many.
    """
    from crm_pipeline.accounts.store import describe_again, misfits, set_field_mapping
    from crm_pipeline.cli.mapping_what_if import tell_effect

    _check_choice(field, source, constant, nothing=nothing)
    chosen = _possible(account_id, field, source, constant)
    sobject, name = chosen.sobject, chosen.field
    tell_effect(account_id, sobject, name, chosen, yes=yes)
    with transaction() as connection:
        set_field_mapping(connection, account_id, chosen)
        describe_again(connection, account_id)
        confirm_reading(connection, account_id, yes=yes)
        why = misfits(connection, account_id).get(f"{sobject}.{name}")
        _tell_of_rows(connection, account_id, sobject)
    say(f"Account {account_id} fills {sobject}.{name} {_origin(source, constant)}.")
    if why is not None:
        say(
            f"As the org was last seen, though: {why}. "
            f"`crm-pipeline account test-login {account_id}` looks again."
        )


@app.command("what-if")
def what_if_(
    account_id: AccountId,
    field: FieldName,
    *,
    source: Annotated[str | None, typer.Option(help="Column of the extracts.")] = None,
    constant: Annotated[str | None, typer.Option(help="The same value for everybody.")] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="Do not send the field.")] = False,
) -> None:
    """Say what that would change, of how many records; reads all rows, and changes nothing."""
    from crm_pipeline.cli.mapping_what_if import what_if

    _check_choice(field, source, constant, nothing=nothing)
    what_if(account_id, _possible(account_id, field, source, constant))


@app.command()
def remove(account_id: AccountId, field: FieldName, yes: Yes = False) -> None:
    """Take an override away; the default mapping holds again.

    Says first how many records that would change, and asks where these are very many.
    """
    from crm_pipeline.accounts.store import remove_field_mapping
    from crm_pipeline.cli.mapping_what_if import tell_effect

    with pipeline().connect() as connection:
        sobject, name = _spelt(connection, account_id, field)
        remove_field_mapping(connection, account_id, sobject, name)
        connection.rollback()
    tell_effect(account_id, sobject, name, None, yes=yes)
    with transaction() as connection:
        remove_field_mapping(connection, account_id, sobject, name)
        confirm_reading(connection, account_id, yes=yes)
        _tell_of_rows(connection, account_id, sobject)
    say(f"Account {account_id} no longer overrides {sobject}.{name}.")


@app.command()
def suggest(account_id: AccountId) -> None:
    """Suggest fields that columns may fill, by their names; changes nothing.

    It goes by the org as it was seen last, and by the columns that sql/extract/ gives.
    """
    from crm_pipeline.accounts.store import (
        DECIDED_FIELDS,
        field_mappings,
        get_account,
        schemas_seen,
    )
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.mapping import DEFAULT_MAPPING, field_maps
    from crm_pipeline.sources.participations import columns
    from crm_pipeline.sources.suggestions import suggested

    with transaction() as connection:
        account = get_account(connection, account_id)
        overrides = field_mappings(connection, account_id)
        seen = schemas_seen(connection, account_id)
    if not seen.keys() & DEFAULT_MAPPING.keys():
        mistake(
            f"The fields of account {account_id}'s org are not known yet; `crm-pipeline account "
            f"test-login {account_id}` looks at them."
        )
    known = columns(engine("warehouse"))
    maps = field_maps(account.settings, overrides)
    rows = [
        (
            f"{sobject}.{each.field}",
            each.column,
            each.why,
            f"account mapping set {account_id} {sobject}.{each.field} --source {each.column}",
        )
        for sobject in DEFAULT_MAPPING.keys() & seen.keys()
        for each in suggested(
            seen[sobject],
            known,
            {
                *maps[sobject].sources,
                *maps[sobject].constants,
                *DECIDED_FIELDS[sobject],
                *(each.field for each in overrides if each.sobject == sobject),
            },
        )
    ]
    print_table(
        "",
        ("field", "column", "why", "crm-pipeline …"),
        sorted(rows),
        empty="No free field has the name of a column.",
    )


@app.command("list")
def list_(account_id: AccountId) -> None:
    """List an account's overrides."""
    from crm_pipeline.accounts.store import field_mappings, get_account, misfits

    with transaction() as connection:
        get_account(connection, account_id)
        mappings = field_mappings(connection, account_id)
        why = misfits(connection, account_id)
    print_table(
        "",
        ("field", "is filled", "but"),
        [
            (name, _origin(m.source, m.constant), why.get(name))
            for m in mappings
            for name in [f"{m.sobject}.{m.field}"]
        ],
        empty=f"Account {account_id} overrides no field of the default mapping.",
    )


def _possible(
    account_id: str, field: str, source: str | None, constant: str | None
) -> "FieldMapping":
    """A mapping as it is typed, once it is sure that it can be set."""
    from crm_pipeline.accounts.store import FieldMapping, set_field_mapping

    with pipeline().connect() as connection:
        sobject, name = _spelt(connection, account_id, field)
        chosen = FieldMapping(sobject, name, source=source, constant=constant)
        set_field_mapping(connection, account_id, chosen)
        connection.rollback()
    return chosen


def _tell_of_rows(connection: "Connection", account_id: str, sobject: str) -> None:
    # Campaigns and members are read again by themselves, and that was asked.
    if sobject not in ("Campaign", "CampaignMember"):
        tell_of_rows(connection, account_id, "have the field as it was mapped until now")


def _check_choice(field: str, source: str | None, constant: str | None, *, nothing: bool) -> None:
    if (source is not None) + (constant is not None) + nothing != 1:
        mistake("Say one of --source COLUMN, --constant TEXT and --nothing.")
    if constant is not None and not constant.strip():
        mistake("--constant needs a text; --nothing leaves the field out.")
    if source is not None:
        _check_column(source, of_events=field.partition(".")[0].strip().lower() == "campaign")


def _check_column(column: str, *, of_events: bool) -> None:
    """Refuses a column that the extracts do not have; a typo would send nothing, silently."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.computed import ANSWERS, COMPUTED, needed_for
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import event_columns
    from crm_pipeline.sources.participations import columns

    if column == ANSWERS:
        mistake(f"{ANSWERS} needs the key of a question, as in {ANSWERS}budget.")
    try:
        known = (event_columns if of_events else columns)(engine("warehouse"))
    except ExtractError as error:
        say(f"It cannot be checked whether there is a column {column}: {error}", err=True)
        return
    if of_events and column not in known:
        mistake(
            f"sql/extract/events.sql gives no column {column!r}; add it there, or take one of "
            f"{', '.join(sorted(known))}."
        )
    if needed_for(column) not in known:
        there = known.union(each for each in COMPUTED if needed_for(each) in known)
        mistake(
            f"sql/extract/ gives no column {needed_for(column)!r}; add it there, or take one of "
            f"{', '.join(sorted(there))}, or {ANSWERS}KEY."
        )


def _spelt(connection: "Connection", account_id: str, field: str) -> tuple[str, str]:
    """Object and field as Salesforce spells them, where they are known: it knows no case."""
    from crm_pipeline.accounts.people import OPT_OUTS, STAYS
    from crm_pipeline.accounts.store import DECIDED_FIELDS, field_mappings, schemas_seen
    from crm_pipeline.sources.mapping import DEFAULT_MAPPING

    typed, dot, name = (part.strip() for part in field.partition("."))
    if not dot:
        mistake(f"{field!r} is not OBJECT.FIELD, such as Lead.Region__c.")
    sobject = {each.lower(): each for each in DECIDED_FIELDS}.get(typed.lower(), typed)
    seen = schemas_seen(connection, account_id)
    known = [
        *(m.field for m in field_mappings(connection, account_id) if m.sobject == sobject),
        *(seen[sobject].fields if sobject in seen else ()),
        *DEFAULT_MAPPING.get(sobject, ()),
        *STAYS,
        *OPT_OUTS,
    ]
    return sobject, {each.lower(): each for each in known}.get(name.lower(), name)


def _origin(source: str | None, constant: str | None) -> str:
    if source is not None:
        return f"from column {source}"
    return f"with {constant!r}" if constant is not None else "not at all"
