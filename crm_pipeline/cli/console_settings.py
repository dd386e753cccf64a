"""What people choose in the console: by what `account set` and `account apply` do and refuse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import typer

from crm_pipeline.accounts.files import (
    LISTED_PARTS,
    AccountFile,
    ListedPart,
    differences,
    stored_file,
)
from crm_pipeline.accounts.store import get_account, hold_account
from crm_pipeline.cli.account import ask_org, change
from crm_pipeline.cli.account_files import change_lists
from crm_pipeline.cli.account_mapping import possible
from crm_pipeline.cli.databases import as_a_whole
from crm_pipeline.cli.json_form import begin_document, end_document
from crm_pipeline.cli.mistakes import in_one_line, mistake
from crm_pipeline.cli.who import acting_as
from crm_pipeline.console.choosing import ChoiceSeen, ChoiceWanted
from crm_pipeline.console.errors import ConsoleError


class _OnlyLookedError(Exception):
    """Ends the transaction of a change that is not to be stored."""


class CommandDesk:
    """Runs the command's own change, as one to which everything is agreed."""

    def look(self, wanted: ChoiceWanted, who: str) -> ChoiceSeen:
        """Returns what a value comes to; stores nothing."""
        found: list[ChoiceSeen] = []

        def keep(seen: ChoiceSeen) -> None:
            found.append(seen)
            raise _OnlyLookedError

        with _told_in_one_line():
            try:
                _change(wanted, who, keep)
            except _OnlyLookedError:
                return found[0]
        raise AssertionError(wanted.name)

    def store(self, seen: ChoiceSeen, who: str) -> None:
        """Stores a value if it comes to what was seen."""

        def compare(now: ChoiceSeen) -> None:
            if not seen.holds(now):
                raise ConsoleError(
                    HTTPStatus.CONFLICT,
                    f"Something of account {seen.wanted.account_id} has changed since, and "
                    f"{seen.wanted.name} comes to something else: look at it once more.",
                )

        with _told_in_one_line():
            _change(seen.wanted, who, compare)


def _change(wanted: ChoiceWanted, who: str, decide: Callable[[ChoiceSeen], None]) -> None:
    """Changes a choice; what `decide` raises, once it is known what that comes to, undoes it."""
    account_id = wanted.account_id
    part = next((each for each in LISTED_PARTS if each == wanted.name), None)
    settings = {wanted.name: wanted.value} if part is None else {}
    told = begin_document(alone=True)
    try:
        with acting_as(who):
            storage = ask_org(account_id, settings, yes=True)
            with as_a_whole() as connection:
                hold_account(connection, account_id)
                before = stored_file(connection, account_id)
                if part is None:
                    change(account_id, settings, {}, storage, yes=True)
                    after = get_account(connection, account_id).settings
                    was, becomes = (each.typed(wanted.name) for each in (before.settings, after))
                    changes = [(wanted.name, was or "none", becomes or "none")]
                else:
                    changes = _change_list(before, part, wanted.value or "")
                decide(ChoiceSeen(wanted, tuple(changes), tuple(told.said), before.written()))
    finally:
        end_document()


def _change_list(before: AccountFile, part: ListedPart, text: str) -> list[tuple[str, str, str]]:
    """Makes mapping, filters or sessions as they are typed; returns what that changes."""
    after = before.with_part(part, text)
    # What was stored can be; only what is new is looked at.
    mappings = [m if m in before.mappings else possible(before.account, m) for m in after.mappings]
    after = after.with_mapping(mappings)
    changes = differences(before, after)
    if not changes:
        mistake(f"The {part} of account {before.account}: that is how it is already.")
    change_lists(after, changes, yes=True)
    return [(each.choice, each.was or "none", each.becomes or "none") for each in changes]


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
