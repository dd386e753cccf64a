"""Questions to a person: asked while no transaction is open and no account is held.

People think for long, and other commands would wait for them. So a command that needs an answer
ends there, as if it had failed; once the person has agreed, it begins again from its start, and
goes on past the question if what it would do is still the same.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

import typer

from crm_pipeline.cli.show import say
from crm_pipeline.exceptions import PicklableError

T = TypeVar("T")


class Question(PicklableError):  # noqa: N818 - an answer is wanted, and nothing is wrong
    """Ends a command, with its transactions, until a person has answered.

    Attributes:
        what: what the command would do.
        question: whether it is to.
    """

    def __init__(self, what: str, question: str) -> None:
        super().__init__(what)
        self.what = what
        self.question = question


_REFUSED = "Nothing is changed"


class Conversation:
    """Questions agreed to, and lines told, in the attempts at one command so far.

    Attributes:
        refused: what is said where a person does not agree, or cannot be asked.
    """

    def __init__(self) -> None:
        self.agreed: set[str] = set()
        self.told: set[str] = set()
        self.refused = _REFUSED


_CONVERSATION: ContextVar[Conversation | None] = ContextVar("_CONVERSATION", default=None)


def is_agreed(what: str) -> bool:
    """Returns whether the person has agreed to exactly this, in this run of the program."""
    conversation = _CONVERSATION.get()
    return conversation is not None and what in conversation.agreed


def refused() -> str:
    """Returns what is said where a person does not agree."""
    conversation = _CONVERSATION.get()
    return _REFUSED if conversation is None else conversation.refused


def is_in_parts(part: str) -> None:
    """Has a refusal be about this part alone: the command may have done others already.

    Args:
        part: as in "account acme".
    """
    conversation = _CONVERSATION.get()
    if conversation is not None:
        conversation.refused = f"Nothing of {part} is changed"


def say_once(line: str, *, err: bool = False) -> None:
    """Prints a line, harmless; not again when the command begins again after a question."""
    if is_first_time(line):
        say(line, err=err)


def is_first_time(what: str) -> bool:
    """Returns whether this is not told yet, in this run of the program; from now on it is."""
    conversation = _CONVERSATION.get()
    if conversation is None:
        return True
    is_new = what not in conversation.told
    conversation.told.add(what)
    return is_new


def with_answers(command: Callable[[], T]) -> T:
    """Runs a command, again and again, until all that it asks is agreed to.

    Raises:
        TyperException: the person does not agree.
        Abort: there is no answer.
    """
    conversation = Conversation()
    token = _CONVERSATION.set(conversation)
    try:
        while True:
            try:
                return command()
            except Question as asked:
                question = asked
            say(question.what)
            if not typer.confirm(question.question):
                raise typer.TyperException(f"{conversation.refused}.")
            conversation.agreed.add(question.what)
    finally:
        _CONVERSATION.reset(token)
