"""Arguments that several groups of commands take."""

from typing import Annotated

import typer

DAYS_AND_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
"""Forms of moments, which are UTC."""

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")]


def ids(given: int | list[int] | None) -> int | list[int] | None:
    """Refuses numbers that no column holds, before they are taken for a fault of an extract."""
    for number in [given] if isinstance(given, int) else given or ():
        if not -(2**63) <= number < 2**63:
            raise typer.BadParameter(f"{number} is too large for an id")
    return given


def not_blank(given: str | None) -> str | None:
    """Refuses a blank, which a script's empty variable gives: it would be about nobody, or all."""
    if given is not None and not given.strip():
        raise typer.BadParameter("it is blank")
    return given


EventId = Annotated[
    int,
    typer.Argument(metavar="EVENT", help="The warehouse's id of it.", callback=ids),
]

OneAccount = Annotated[
    str | None,
    typer.Argument(metavar="[ACCOUNT]", help="Of one account only.", callback=not_blank),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
OfAccount = Annotated[
    str | None, typer.Option("--account", help="All of one account.", callback=not_blank)
]
