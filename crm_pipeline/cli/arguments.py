"""Arguments that several groups of commands take."""

from typing import Annotated

import typer

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
OfAccount = Annotated[str | None, typer.Option("--account", help="All of one account.")]
