"""`crm-pipeline reporting`: the numbers by day, and who may read them."""

from typing import Annotated

import typer

from crm_pipeline.cli.databases import transaction, where
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

app = typer.Typer(help="Numbers by day and account, for reports and dashboards.")


@app.command()
def reader(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role of PostgreSQL.")],
) -> None:
    """Let a role of the pipeline's database read the views of `reporting`, and nothing else.

    A role that is not there is made, without a password: people and tools become members of it.
    """
    from sqlalchemy.exc import DBAPIError

    from crm_pipeline.cli.databases import pipeline
    from crm_pipeline.database.errors import in_words
    from crm_pipeline.database.statements import statement

    try:
        with transaction() as connection:
            connection.execute(statement("reporting/let_read"), {"role": role})
    except DBAPIError as error:
        mistake(
            f"The role {role} cannot be let in ({in_words(error)}); ask an administrator of the "
            f'database for `CREATE ROLE "{role}"`, then do this again.'
        )
    say(f"{where(pipeline())}: {role} reads the schema reporting.")


@app.command()
def count() -> None:
    """Count what there is today now; the daemon does so once a day."""
    from crm_pipeline.reporting.counting import count_requests, count_stock

    with transaction() as connection:
        count_requests(connection)
        count_stock(connection)
    say("Counted: people, members, prospects, opportunities, the queue and requests.")


@app.command()
def dictionary() -> None:
    """Print what each column of the views is, in Markdown."""
    from crm_pipeline.reporting import views

    with transaction() as connection:
        page = views.dictionary(connection)
    for line in page.splitlines():
        say(line, as_it_is=True)


@app.command()
def dbt() -> None:
    """Print the views as a source of dbt (YAML)."""
    from crm_pipeline.reporting.views import dbt_sources

    with transaction() as connection:
        page = dbt_sources(connection)
    for line in page.splitlines():
        say(line, as_it_is=True)
