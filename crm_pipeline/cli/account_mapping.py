"""`crm-pipeline account mapping`: where an account's fields get their values from."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.account_again import tell_of_rows
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.campaign_questions import confirm_reading
from crm_pipeline.cli.databases import is_set_up, rehearsal, say_done, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.questions import say_once
from crm_pipeline.cli.show import print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_pipeline.accounts.store import FieldMapping

app = typer.Typer(help="Overrides of the default field mapping.")

FieldName = Annotated[str, typer.Argument(metavar="OBJECT.FIELD", help="As in Lead.Region__c.")]
SourceColumn = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="COLUMN", help="Column of the extracts; several are joined."),
]
Constant = Annotated[str | None, typer.Option(help="The same value for everybody.")]
Nothing = Annotated[bool, typer.Option("--nothing", help="Do not send the field.")]
Separator = Annotated[str | None, typer.Option(help="Between several columns; else a blank.")]
DateFormat = Annotated[
    str | None, typer.Option(metavar="FORM", help="How a day or time is written: %d.%m.%Y.")
]
Timezone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Of times so written; else UTC.")
]
LookupRow = Annotated[
    list[str] | None,
    typer.Option("--lookup", metavar="VALUE=BECOMES", help="What a value becomes; many times."),
]
LookupFile = Annotated[
    Path | None,
    typer.Option(help="CSV without a head, each row a value and what it becomes.", dir_okay=False),
]
Default = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Where no row says anything of use.")
]


@app.command("set")
def set_(
    account_id: AccountId,
    field: FieldName,
    *,
    source: SourceColumn = None,
    constant: Constant = None,
    nothing: Nothing = False,
    separator: Separator = None,
    date_format: DateFormat = None,
    timezone: Timezone = None,
    lookup: LookupRow = None,
    lookup_file: LookupFile = None,
    default: Default = None,
    yes: Yes = False,
) -> None:
    """Fill a field from columns, with a constant, or not at all.

    Columns may be joined, written as a date, looked up in a table, and have a default. Says first
    how many records that would change, and asks where these are very many.
    """
    rules = _rules(
        lookup,
        lookup_file,
        separator=separator,
        date_format=date_format,
        timezone=timezone,
        default=default,
    )
    store(account_id, _typed(account_id, field, source, constant, rules, nothing=nothing), yes=yes)


def store(account_id: str, typed: "FieldMapping", *, yes: bool) -> None:
    """Stores a mapping, after saying how many records that changes; asks where these are many."""
    from crm_pipeline.accounts.store import describe_again, misfits, set_field_mapping
    from crm_pipeline.cli.mapping_what_if import tell_effect

    chosen = possible(account_id, typed)
    sobject, name = chosen.sobject, chosen.field
    tell_effect(account_id, sobject, name, chosen, yes=yes)
    with transaction() as connection:
        set_field_mapping(connection, account_id, chosen)
        describe_again(connection, account_id)
        confirm_reading(connection, account_id, yes=yes)
        why = misfits(connection, account_id).get(f"{sobject}.{name}")
        _tell_of_rows(connection, account_id, sobject)
    say_done(f"Account {account_id} fills {sobject}.{name} {_origin(chosen)}.")
    if why is not None:
        say_done(
            f"As the org was last seen, though: {why}. "
            f"`crm-pipeline account test-login {account_id}` looks again."
        )


@app.command("what-if")
def what_if_(
    account_id: AccountId,
    field: FieldName,
    *,
    source: SourceColumn = None,
    constant: Constant = None,
    nothing: Nothing = False,
    separator: Separator = None,
    date_format: DateFormat = None,
    timezone: Timezone = None,
    lookup: LookupRow = None,
    lookup_file: LookupFile = None,
    default: Default = None,
) -> None:
    """Say what that would change, of how many records; reads all rows, and changes nothing."""
    from crm_pipeline.cli.mapping_what_if import what_if

    rules = _rules(
        lookup,
        lookup_file,
        separator=separator,
        date_format=date_format,
        timezone=timezone,
        default=default,
    )
    typed = _typed(account_id, field, source, constant, rules, nothing=nothing)
    what_if(account_id, possible(account_id, typed))


@app.command()
def missed(account_id: AccountId) -> None:
    """Show what rows say that a template makes nothing of: what its table does not have.

    Reads all rows, tracked leads and tickets. What it shows are values of the warehouse, which may
    be personal data.
    """
    from crm_pipeline.cli.mapping_what_if import missed_values

    print_table(
        "",
        ("field", "value", "rows"),
        [(*each, rows) for each, rows in missed_values(account_id).most_common()],
        empty=f"The templates of account {account_id} make something of whatever the rows say.",
    )


@app.command()
def remove(account_id: AccountId, field: FieldName, yes: Yes = False) -> None:
    """Take an override away; the default mapping holds again.

    Says first how many records that would change, and asks where these are very many.
    """
    from crm_pipeline.accounts.store import remove_field_mapping
    from crm_pipeline.cli.mapping_what_if import tell_effect

    sobject, name = _spelt(account_id, field)
    with rehearsal() as connection:
        remove_field_mapping(connection, account_id, sobject, name)
    tell_effect(account_id, sobject, name, None, yes=yes)
    with transaction() as connection:
        remove_field_mapping(connection, account_id, sobject, name)
        confirm_reading(connection, account_id, yes=yes)
        _tell_of_rows(connection, account_id, sobject)
    say_done(f"Account {account_id} no longer overrides {sobject}.{name}.")


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
            (name, _origin(m), why.get(name))
            for m in mappings
            for name in [f"{m.sobject}.{m.field}"]
        ],
        empty=f"Account {account_id} overrides no field of the default mapping.",
    )


def _rules(
    lookup: list[str] | None, lookup_file: Path | None, **others: str | None
) -> dict[str, object]:
    """The rules of a template that were typed, by name."""
    table: list[tuple[str, str]] = []
    for typed in lookup or ():
        value, equals, becomes = typed.partition("=")
        if not equals:
            mistake(f"--lookup {typed!r} is not VALUE=BECOMES, such as BY=Bavaria.")
        table.append((value, becomes))
    table += _table_in(lookup_file) if lookup_file else ()
    if twice := [value for value, number in Counter(v for v, _ in table).items() if number > 1]:
        mistake(f"The table has two rows for {twice[0]!r}.")
    rules = {**others, "lookup": dict(table) or None}
    return {name: rule for name, rule in rules.items() if rule is not None}


def _table_in(file: Path) -> list[tuple[str, str]]:
    """The rows of a CSV of two columns."""
    import csv

    try:
        rows = [row for row in csv.reader(file.read_text("utf-8-sig").splitlines(True)) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        mistake(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no CSV'}.")
    for number, row in enumerate(rows, 1):
        if len(row) != 2:
            mistake(f"{file}: row {number} has not two columns, a value and what it becomes.")
    if not rows:
        mistake(f"{file} has no rows.")
    return [(value, becomes) for value, becomes in rows]


def _typed(
    account_id: str,
    field: str,
    source: list[str] | None,
    constant: str | None,
    rules: dict[str, object],
    *,
    nothing: bool,
) -> "FieldMapping":
    """A mapping as it is typed."""
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.accounts.templates import source_of

    _check_choice(source, constant, nothing=nothing)
    if rules and not source:
        mistake(f"--{next(iter(rules)).replace('_', '-')} belongs to --source COLUMN.")
    try:
        made_of = source_of(source, rules) if source else None
    except ValueError as error:
        mistake(f"Account {account_id}: {error}.")
    sobject, _, name = field.partition(".")
    if "." not in field:
        mistake(f"{field!r} is not OBJECT.FIELD, such as Lead.Region__c.")
    return FieldMapping(sobject, name, source=made_of, constant=constant)


def possible(account_id: str, typed: "FieldMapping") -> "FieldMapping":
    """Returns a mapping as Salesforce spells its field, once it is sure that it can be set.

    The account need not be there yet. Ends the command for a mapping that can not.

    Raises:
        AccountError: the object or the field is none that may be mapped.
    """
    from dataclasses import replace

    from crm_pipeline.accounts.store import check_mapping

    sobject, name = _spelt(account_id, f"{typed.sobject}.{typed.field}")
    chosen = replace(typed, sobject=sobject, field=name)
    check_mapping(account_id, chosen)
    why = not_together(chosen)
    if chosen.constant is not None and not chosen.constant.strip():
        why = "a constant needs a text; --nothing, or null in a file, leaves the field out"
    why = why or next(
        (w for column in chosen.columns if (w := no_column(column, chosen.sobject))), None
    )
    if why is not None:
        mistake(f"Account {account_id}: {sobject}.{name}: {why}.")
    return chosen


def _tell_of_rows(connection: "Connection", account_id: str, sobject: str) -> None:
    # Campaigns and members are read again by themselves, and that was asked.
    if sobject not in ("Campaign", "CampaignMember"):
        tell_of_rows(connection, account_id, "have the field as it was mapped until now")


def not_together(mapping: "FieldMapping") -> str | None:
    """Returns why the columns of a template cannot be joined, or None.

    A column that is counted over all rows of a person, or of a member, is of no single row.
    """
    from crm_pipeline.flows.campaigns.sums import SUMMED
    from crm_pipeline.sources.computed import FIGURES

    of_all_rows = {"Lead": FIGURES, "Contact": FIGURES, "CampaignMember": SUMMED}
    columns = set(mapping.columns)
    counted_together = columns & of_all_rows.get(mapping.sobject, frozenset())
    if not counted_together or counted_together == columns:
        return None
    return f"{min(counted_together)} is made of all rows, and is not joined with what one row says"


def _check_choice(source: list[str] | None, constant: str | None, *, nothing: bool) -> None:
    if bool(source) + (constant is not None) + nothing != 1:
        mistake("Say one of --source COLUMN, --constant TEXT and --nothing.")


def no_column(column: str, sobject: str) -> str | None:
    """Returns why the extracts do not have a column, or None; a typo would send nothing, silently.

    Args:
        column: its name.
        sobject: the object that it is to fill: columns of a Campaign are those of events.
    """
    from crm_pipeline.database.engines import engine
    from crm_pipeline.database.statements import extract_shown
    from crm_pipeline.sources.computed import ANSWERS, COMPUTED, needed_for
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import event_columns
    from crm_pipeline.sources.participations import columns

    if column == ANSWERS:
        return f"{ANSWERS} needs the key of a question, as in {ANSWERS}budget"
    of_events = sobject == "Campaign"
    try:
        known = (event_columns if of_events else columns)(engine("warehouse"))
    except ExtractError as error:
        say_once(f"It cannot be checked whether there is a column {column}: {error}", err=True)
        return None
    if of_events and column not in known:
        return (
            f"{extract_shown('events')} gives no column {column!r}; add it there, or take one of "
            f"{', '.join(sorted(known))}"
        )
    if needed_for(column) not in known:
        there = known.union(each for each in COMPUTED if needed_for(each) in known)
        return (
            f"sql/extract/ gives no column {needed_for(column)!r}; add it there, or take one of "
            f"{', '.join(sorted(there))}, or {ANSWERS}KEY"
        )
    return None


def _spelt(account_id: str, field: str) -> tuple[str, str]:
    """Object and field as Salesforce spells them, where they are known: it knows no case."""
    from crm_pipeline.accounts.people import OPT_OUTS, STAYS
    from crm_pipeline.accounts.store import DECIDED_FIELDS, field_mappings, schemas_seen
    from crm_pipeline.sources.mapping import DEFAULT_MAPPING

    typed, dot, name = (part.strip() for part in field.partition("."))
    if not dot:
        mistake(f"{field!r} is not OBJECT.FIELD, such as Lead.Region__c.")
    sobject = {each.lower(): each for each in DECIDED_FIELDS}.get(typed.lower(), typed)
    known = [*DEFAULT_MAPPING.get(sobject, ()), *STAYS, *OPT_OUTS]
    if is_set_up():
        with transaction() as connection:
            seen = schemas_seen(connection, account_id)
            mapped = field_mappings(connection, account_id)
        of_org = seen[sobject].fields if sobject in seen else ()
        known = [*(m.field for m in mapped if m.sobject == sobject), *of_org, *known]
    return sobject, {each.lower(): each for each in known}.get(name.lower(), name)


def _origin(mapping: "FieldMapping") -> str:
    if mapping.source is not None:
        return f"from {'column' if len(mapping.columns) == 1 else 'columns'} {mapping.source}"
    return f"with {mapping.constant!r}" if mapping.constant is not None else "not at all"
