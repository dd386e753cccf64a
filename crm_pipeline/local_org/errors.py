"""Salesforce's words when something is wrong: whole requests and single rows."""

from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.exceptions import PicklableError

_ROW_HTTP_STATUS = {
    "ENTITY_IS_DELETED": 404,
    "NOT_FOUND": 404,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": 403,
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": 503,
}


class SalesforceError(PicklableError):
    """Ends a request: rendered as `[{"message": ..., "errorCode": ...}]` with its HTTP status.

    `fields` is None where Salesforce leaves the key out (everything but DML).
    """

    def __init__(
        self,
        http_status: int,
        error_code: str,
        message: str,
        fields: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(f"{error_code}: {message}")
        self.http_status = http_status
        self.error_code = error_code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.error_code}
        return [error if self.fields is None else {**error, "fields": list(self.fields)}]


@dataclass(frozen=True, slots=True)
class RowError:
    """The reason of a record's refusal. `extra` holds e.g. `duplicateResut` for a single create."""

    status_code: str
    message: str
    fields: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def collections_body(self) -> dict[str, Any]:
        """Returns the form of sObject collections and Bulk's JSON: `statusCode`."""
        return {
            "statusCode": self.status_code,
            "message": self.message,
            "fields": list(self.fields),
        }

    def body(self) -> dict[str, Any]:
        """Returns the form of an answer to a request about this record alone: `errorCode`."""
        error = {**self.extra, "message": self.message, "errorCode": self.status_code}
        return error if self.extra else {**error, "fields": list(self.fields)}


class RowFailure(SalesforceError):  # noqa: N818 - it carries errors, it is not one
    """Leaves the handling of one record; the row's result, or the answer, carries the errors."""

    def __init__(self, *errors: RowError) -> None:
        first = errors[0]
        status = _ROW_HTTP_STATUS.get(first.status_code, 400)
        super().__init__(status, first.status_code, first.message, first.fields)
        self.errors = errors

    def body(self) -> list[dict[str, Any]]:
        """All errors of the record."""
        return [each.body() for each in self.errors]


def refuse(
    status_code: str, message: str, *fields: str, extra: dict[str, Any] | None = None
) -> RowFailure:
    """Builds the failure of one record, to be raised."""
    return RowFailure(RowError(status_code, message, fields, extra or {}))


class BulkError(SalesforceError):
    """A refusal of Bulk: `InvalidJob` in v1, INVALIDJOB in 2.0; the text of a failed job."""

    def __init__(self, code: str, message: str, http_status: int = 400) -> None:
        super().__init__(http_status, code.upper(), message)
        self.code = code

    @property
    def text(self) -> str:
        """The form in which a job or a batch that could not be worked on tells it."""
        return f"{self.code} : {self.message}"
