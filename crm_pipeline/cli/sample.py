"""`crm-pipeline sample`: fills the sample warehouse, lets time go on, writes the sample orgs."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.extras import need_sample
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from crm_pipeline.sample.warehouse import Progress

app = typer.Typer(help="Sample data: a warehouse as messy as reality, and local orgs for it.")


@app.callback()
def _group() -> None:
    need_sample()


_LOCAL_ORG = "http://127.0.0.1:8420/dev"
_MOST_SHOWN = 8

Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")]


@app.command()
def create(
    registrations: Annotated[int, typer.Option(min=1, help="Of all clients together.")] = 3_000,
    clients: Annotated[int, typer.Option(min=1, help="The demo's eight come first.")] = 8,
    seed: Seed = 1,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove what the sample warehouse holds first.")
    ] = False,
) -> None:
    """Fill the sample warehouse with a platform's last months, up to now."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sample import accounts, warehouse

    made = accounts.clients(clients)
    with _mistakes(), _progress() as progress:
        warehouse.create(
            engine("warehouse"), made, registrations, seed=seed, replace=replace, progress=progress
        )
    say(f"The warehouse holds {registrations:,} registrations of {clients:,} clients.")
    say(
        "Accounts for them, in the org of `crm-pipeline org serve` (or in yours, by its login URL):"
    )
    for client_id, name in islice(made.items(), _MOST_SHOWN):
        say(
            f"crm-pipeline account add {client_id} --client {client_id} "
            f"--name {shlex.quote(name)} --login-url {_LOCAL_ORG}",
            as_it_is=True,
        )
    say("Each begins as a draft: `crm-pipeline account activate CLIENT` lets its cycles begin.")
    if len(made) > _MOST_SHOWN:
        say("`crm-pipeline account clients` lists all of them.")


@app.command()
def more(
    minutes: Annotated[int, typer.Option(min=1, help="How long the traffic lasted.")] = 15,
    registrations: Annotated[
        int | None, typer.Option(min=1, help="By default as many as the minutes are worth.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Add the last minutes' traffic: new rows, changed ones, some late, all shipped now."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sample.later import add_traffic

    with _mistakes():
        brought = add_traffic(engine("warehouse"), minutes, registrations=registrations, seed=seed)
    for what, number in vars(brought).items():
        say(f"{what.replace('_', ' ')}: {number:,}")


@app.command()
def orgs(
    folder: Annotated[
        Path | None, typer.Option(help="Where to; by default `demo` in the data folder.")
    ] = None,
) -> None:
    """Write the file of the demo clients' local orgs, for `crm-pipeline org serve --config`."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sample.orgs import write_orgs
    from crm_pipeline.settings import settings

    with _mistakes(), engine("warehouse").connect() as connection:
        file = write_orgs(connection, folder or settings().data_dir / "demo")
    say(f"Written: {file}")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A new file of DuckDB.")],
) -> None:
    """Write the sample warehouse to a file of DuckDB, as a warehouse that needs no server."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sample.export import export as export_to

    with _mistakes():
        rows = export_to(engine("warehouse"), file)
    say(f"Written: {file}, with {rows:,} rows; WAREHOUSE_URL=duckdb:///{file} reads them.")


@contextmanager
def _mistakes() -> Iterator[None]:
    from sqlalchemy.exc import ProgrammingError

    from crm_pipeline.database.errors import in_words
    from crm_pipeline.sample.warehouse import SampleError
    from crm_pipeline.settings import settings

    if (dialect := settings().warehouse_dialect) != "postgresql":
        raise typer.TyperException(
            f"Sample data are made in PostgreSQL, and WAREHOUSE_URL is of {dialect}: unset it for "
            "the embedded one; `crm-pipeline sample export` writes them to a file of DuckDB."
        )
    try:
        yield
    except SampleError as error:
        raise typer.TyperException(str(error)) from error
    except ProgrammingError as error:
        raise typer.TyperException(
            "The warehouse is not the sample's: point WAREHOUSE_URL at an empty database, or "
            f"unset it for the embedded one ({in_words(error)})."
        ) from error


@contextmanager
def _progress() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("registrations"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
