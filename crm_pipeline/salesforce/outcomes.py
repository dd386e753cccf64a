"""Writes, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crm_pipeline.salesforce.errors import Treatment, decide, field_named

Action = Literal["create", "update", "upsert", "delete"]
WrittenAs = Literal["create", "update", "delete"]
Status = Literal["ok", "error", "lost", "not_sent"]


@dataclass(slots=True)
class Write:
    """One record to be written.

    Attributes:
        ref: the caller's own number for it, which its outcome carries.
        sobject: the object's name.
        action: what to do. An upsert finds its record by `external_id_field`, whose value is
            among the fields.
        fields: values by field name, made to fit (`describe.SObjectSchema.fit`).
        salesforce_id: of an update or a delete, the record.
        external_id_field: of an upsert.
        group_key: records that lock the same parent have the same key; they are sent together.
        rank: of an upsert, its place within a call: after those that it may refer to.
    """

    ref: int
    sobject: str
    action: Action
    fields: dict[str, Any] = field(repr=False)
    salesforce_id: str | None = None
    external_id_field: str | None = None
    group_key: str | None = None
    rank: int = 0

    @property
    def written_as(self) -> WrittenAs:
        """The action as the ledger names it: an upsert is the way in which a record is created."""
        return "create" if self.action == "upsert" else self.action


class RowError(NamedTuple):
    """The reason of a refusal. The message quotes values: for the ledger, not for logs."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"RowError({self.code!r}, fields={self.fields!r})"

    @property
    def treatment(self) -> Treatment:
        """The way to deal with it."""
        return decide(self.code, self.message, 400)

    def blamed(self, sobject: str) -> tuple[str, ...]:
        """The fields of an sObject that are at fault: those named apart, else in words."""
        named = field_named(self.message)
        return self.fields or ((named[1],) if named and named[0] == sobject else ())


class Outcome(NamedTuple):
    """The result of one write.

    Attributes:
        ref: of the write.
        status: `ok`; `error`: refused, nothing was written; `lost`: sent, and the answer never
            came, so look it up before it is sent again; `not_sent`: nothing was written, at no
            fault of the record's.
        salesforce_id: the record, where `ok`.
        created: whether it is new.
        errors: why it was refused; where `not_sent`, what Salesforce said, if it did.
    """

    ref: int
    status: Status
    salesforce_id: str | None = None
    created: bool = False
    errors: tuple[RowError, ...] = ()


def all_alike(
    writes: Sequence[Write], status: Status, errors: tuple[RowError, ...] = ()
) -> list[Outcome]:
    """The outcomes of writes that fared alike."""
    return [Outcome(write.ref, status, errors=errors) for write in writes]
