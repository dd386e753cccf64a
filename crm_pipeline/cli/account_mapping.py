"""`crm-pipeline account mapping`: where an account's fields get their values from."""

from typing import Annotated

import typer

from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.campaign import confirm_reading
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import print_table, say

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
    """Fill a field from a column, with a constant, or not at all."""
    from crm_pipeline.accounts.store import FieldMapping, set_field_mapping

    if (source is not None) + (constant is not None) + nothing != 1:
        mistake("Say one of --source COLUMN, --constant TEXT and --nothing.")
    sobject, name = _parts(field)
    if source is not None:
        _check_column(source)
    with transaction() as connection:
        set_field_mapping(
            connection, account_id, FieldMapping(sobject, name, source=source, constant=constant)
        )
        confirm_reading(connection, account_id, yes=yes)
    say(f"Account {account_id} fills {field} {_origin(source, constant)}.")


@app.command()
def remove(account_id: AccountId, field: FieldName, yes: Yes = False) -> None:
    """Take an override away; the default mapping holds again."""
    from crm_pipeline.accounts.store import remove_field_mapping

    sobject, name = _parts(field)
    with transaction() as connection:
        remove_field_mapping(connection, account_id, sobject, name)
        confirm_reading(connection, account_id, yes=yes)
    say(f"Account {account_id} no longer overrides {field}.")


@app.command("list")
def list_(account_id: AccountId) -> None:
    """List an account's overrides."""
    from crm_pipeline.accounts.store import field_mappings, get_account

    with transaction() as connection:
        get_account(connection, account_id)
        mappings = field_mappings(connection, account_id)
    print_table(
        "",
        ("field", "is filled"),
        [(f"{m.sobject}.{m.field}", _origin(m.source, m.constant)) for m in mappings],
        empty=f"Account {account_id} overrides no field of the default mapping.",
    )


def _check_column(column: str) -> None:
    """Refuses a column that the extracts do not have; a typo would send nothing, silently."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.warehouse.participations import ExtractError, columns

    try:
        known = columns(engine("warehouse"))
    except ExtractError as error:
        say(f"It cannot be checked whether there is a column {column}: {error}", err=True)
        return
    if column not in known:
        mistake(
            f"sql/extract/ gives no column {column!r}; add it there, or take one of "
            f"{', '.join(sorted(known))}."
        )


def _parts(field: str) -> tuple[str, str]:
    sobject, dot, name = field.partition(".")
    if not dot:
        mistake(f"{field!r} is no OBJECT.FIELD, such as Lead.Region__c.")
    return sobject, name


def _origin(source: str | None, constant: str | None) -> str:
    if source is not None:
        return f"from column {source}"
    return f"with {constant!r}" if constant is not None else "not at all"
