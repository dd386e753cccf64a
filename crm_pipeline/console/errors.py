"""What is answered where a page cannot be shown, or something cannot be done."""

from http import HTTPStatus

from crm_pipeline.exceptions import PicklableError


class ConsoleError(PicklableError):
    """A page is not shown, or something is not done: one sentence for people.

    Attributes:
        status: the HTTP status.
        sentence: what happened and what to do; no personal data, no secrets.
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)
