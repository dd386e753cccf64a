"""Settings that people change in the console: by what `account set` does, says and refuses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import typer

from crm_pipeline.accounts.store import get_account, hold_account
from crm_pipeline.cli.account import ask_org, change
from crm_pipeline.cli.databases import as_a_whole
from crm_pipeline.cli.json_form import begin_document, end_document
from crm_pipeline.cli.mistakes import in_one_line
from crm_pipeline.cli.who import acting_as
from crm_pipeline.console.choosing import SettingSeen, SettingWanted
from crm_pipeline.console.errors import ConsoleError


class _OnlyLookedError(Exception):
    """Ends the transaction of a change that is not to be stored."""


class CommandDesk:
    """Runs the command's own change, as one to which everything is agreed."""

    def look(self, wanted: SettingWanted, who: str) -> SettingSeen:
        """Returns what a value comes to; stores nothing."""
        found: list[SettingSeen] = []

        def keep(seen: SettingSeen) -> None:
            found.append(seen)
            raise _OnlyLookedError

        with _told_in_one_line():
            try:
                _change(wanted, who, keep)
            except _OnlyLookedError:
                return found[0]
        raise AssertionError(wanted.name)

    def store(self, seen: SettingSeen, who: str) -> None:
        """Stores a value if it comes to what was seen."""

        def compare(now: SettingSeen) -> None:
            if now != seen:
                raise ConsoleError(
                    HTTPStatus.CONFLICT,
                    f"Something of account {seen.wanted.account_id} has changed since, and "
                    f"{seen.wanted.name} comes to something else: look at it once more.",
                )

        with _told_in_one_line():
            _change(seen.wanted, who, compare)


def _change(wanted: SettingWanted, who: str, decide: Callable[[SettingSeen], None]) -> None:
    """Changes a setting; what `decide` raises, once it is known what that comes to, undoes it."""
    account_id, changes = wanted.account_id, {wanted.name: wanted.value}
    told = begin_document(alone=True)
    try:
        with acting_as(who):
            storage = ask_org(account_id, changes, yes=True)
            with as_a_whole() as connection:
                hold_account(connection, account_id)
                before = get_account(connection, account_id).settings
                change(account_id, changes, {}, storage, yes=True)
                after = get_account(connection, account_id).settings
                decide(
                    SettingSeen(
                        wanted,
                        before.typed(wanted.name),
                        after.typed(wanted.name),
                        tuple(told.said),
                        before.model_dump_json(exclude_unset=True),
                    )
                )
    finally:
        end_document()


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Has what ends a command with a line be that line on a page."""
    try:
        yield
    except (ConsoleError, _OnlyLookedError):
        raise
    except typer.TyperException as mistake:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, mistake.format_message()) from None
    except Exception as error:
        line = in_one_line(error)
        if line is None:
            raise
        raise ConsoleError(HTTPStatus.BAD_REQUEST, line) from None
