"""Checks of what a person types, and questions before anything dear or dangerous."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from crm_pipeline.cli.json_form import document
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.questions import Question, is_agreed, refused, say_once
from crm_pipeline.cli.show import say
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from crm_pipeline.sources.clients import Client


def agree(what: str, question: str, *, yes: bool) -> None:
    """Says what will happen and asks, on a terminal; ends the command unless that is agreed to.

    Where nobody can be asked, only `yes` agrees.

    Raises:
        Question: the person is to be asked; then the command begins again.
    """
    if yes:
        say(what)
    elif not _can_ask():
        mistake(f"{what} {refused()}, as nobody can be asked here; --yes agrees.")
    elif not is_agreed(what):
        raise Question(what, question)


def agree_now(what: str, question: str, *, yes: bool) -> None:
    """As `agree`, but asks at once: for commands that hold nothing, and would not begin again."""
    if yes or not _can_ask():
        agree(what, question, yes=yes)
        return
    say(what)
    if not typer.confirm(question):
        mistake("Nothing is changed.")


@contextmanager
def if_the_warehouse_answers(what: str) -> Iterator[None]:
    """Goes on where the warehouse does not answer, and says what could not be looked up.

    Args:
        what: what remains unknown, as in "whether there is a column county".
    """
    from crm_pipeline.sources.errors import ExtractError

    try:
        yield
    except ExtractError as error:
        say_once(f"It cannot be checked {what}: {error}", err=True)


def check_client(client_id: str, *, yes: bool) -> None:
    """Says what the warehouse has of a client, and asks where it has nothing."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.near_names import near
    from crm_pipeline.sources.clients import clients

    with if_the_warehouse_answers(f"whether there is a client {client_id}"):
        warehouse = engine("warehouse")
        for found in clients(warehouse, [client_id]):
            say_once(_described(found))
            return
        likely = near(client_id, [each.client_id for each in clients(warehouse)])
        meant = (
            f"did you mean {' or '.join(likely)}?"
            if likely
            else "`crm-pipeline account clients` lists those that it has."
        )
        agree(
            f"The warehouse has no row of client {client_id!r}; {meant}",
            "Take it all the same, for rows that are to come?",
            yes=yes,
        )


def rows_of_client(client_id: str) -> "Client | None":
    """Returns the rows that the warehouse has of a client; None where it has none, or does not say.

    The latter is told.
    """
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import clients

    with if_the_warehouse_answers("how many rows that is"):
        return next(iter(clients(engine("warehouse"), [client_id])), None)
    return None


def _described(client: "Client") -> str:
    return (
        f"Client {client.client_id} has {client.registrations} registrations and "
        f"{client.attendances} attendances, the newest row of {shown(client.newest)}."
    )


def _can_ask() -> bool:
    """Returns whether somebody is there to answer, and no document would be spoilt."""
    return document() is None and _at_a_terminal()


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()
