"""A user's mistake is one line on stderr that says what to do; never a traceback.

An error that is not recognized here is a bug of ours, and keeps its traceback.
"""

import errno
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from crm_pipeline.cli.json_form import begin_document, end_document
from crm_pipeline.cli.questions import with_answers
from crm_pipeline.cli.show import print_document, say
from crm_pipeline.exceptions import refused_file

if TYPE_CHECKING:
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

_NO_RIGHTS = "42501"


class OneLineMistakes(TyperGroup):
    """The root of all commands: says what went wrong, and with which exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; Ctrl-C stops it as it stops a question, and is told, too."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            raise typer.Abort from stopped

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs a command; ends the process, unless `standalone_mode` is off."""

        def run() -> Any:
            main = super(OneLineMistakes, self).main
            return with_answers(
                lambda: main(args, prog_name, complete_var, False, windows_expand_args, **extra)
            )

        args, as_json = _form(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return run()
        made = begin_document() if as_json else None
        try:
            status = run()
        except typer.TyperException as mistake:
            _say(mistake.format_message().replace(": Value error, ", ": "), _hint(mistake))
            status = mistake.exit_code
        except typer.Abort as stopped:
            by_ctrl_c = isinstance(stopped.__cause__, KeyboardInterrupt)
            _say("Stopped." if by_ctrl_c else "Stopped: an answer was needed and none came.")
            status = 130 if by_ctrl_c else 1
        except Exception as error:
            line = in_one_line(error)
            if line is None:
                raise
            _say(line)
            status = 1
        finally:
            if made is not None:
                end_document()
                print_document(made.parts)
        sys.exit(status if isinstance(status, int) else 0)


def _form(args: Sequence[str]) -> tuple[list[str], bool]:
    """Takes `--json` out of a command's words, wherever it stands, and says whether it was there.

    Behind a `--` words are taken as they are.
    """
    words = list(args)
    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != "--json"]
    return [*kept, *words[end:]], len(kept) < end


def mistake(message: str, status: int = 1) -> NoReturn:
    """Ends the command with a line for the user and an exit status."""
    told = typer.TyperException(message)
    told.exit_code = status
    raise told


def in_one_line(error: Exception) -> str | None:
    """Returns what to tell a user about an error that they can mend, else None."""
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from crm_pipeline.accounts.account import AccountError
    from crm_pipeline.cycle.attempts import PipelineDatabaseError
    from crm_pipeline.database.embedded_installation import EmbeddedPostgresError
    from crm_pipeline.database.sessions import PoolerError
    from crm_pipeline.salesforce.errors import SalesforceProblem
    from crm_pipeline.sources.errors import ExtractError

    told = (
        AccountError,
        EmbeddedPostgresError,
        ExtractError,
        PipelineDatabaseError,
        PoolerError,
        SalesforceProblem,
    )
    if isinstance(error, told):
        return str(error)
    if isinstance(error, ValidationError) and error.title == "Settings":
        return _impossible_setting(error)
    if isinstance(error, DBAPIError):
        return _database_problem(error)
    if isinstance(error, OSError):
        return _file_problem(error)
    if isinstance(error, UnicodeEncodeError):
        return "Something that was typed is not UTF-8 text; set the terminal to UTF-8."
    return None


def _file_problem(error: OSError) -> str | None:
    if error.errno == errno.ENOSPC:
        return "Nothing more can be written: no space is left where it goes."
    refused = refused_file(error)
    return refused and f"A file cannot be used: {refused}; name another one, or mend its rights."


def _impossible_setting(error: "ValidationError") -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    why = first["msg"].removeprefix("Value error, ")
    if first["loc"]:
        why = f"Setting {str(first['loc'][0]).upper()} is impossible: {why}"
    end = "" if why.endswith("?") else "."
    return f"{why}{end} Mend it in the environment or in .env."


def _database_problem(error: "DBAPIError") -> str | None:
    from sqlalchemy.exc import OperationalError

    from crm_pipeline.database.errors import in_words
    from crm_pipeline.database.refusals import refused_value

    if refused_value(error) is not None:
        return f"Something that was typed cannot be stored: {in_words(error)}."
    no_rights = getattr(error.orig, "sqlstate", None) == _NO_RIGHTS
    if not no_rights and not isinstance(error, OperationalError):
        return None
    advice = (
        "give the user of its address the right to it"
        if no_rights
        else "check that it runs and that WAREHOUSE_URL and PIPELINE_DATABASE_URL are right"
    )
    return f"The database refuses: {in_words(error)}; {advice}."


def _hint(mistake: typer.TyperException) -> str:
    context = getattr(mistake, "ctx", None)
    return f" See `{context.command_path} --help`." if context is not None else ""


def _say(message: str, hint: str = "") -> None:
    line = " ".join(message.split())
    if hint and not line.endswith((".", "?", "!")):
        line += "."
    say(f"{line}{hint}", err=True)
