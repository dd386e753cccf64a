"""The rules of an org's administrators: validation, duplicates, assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_pipeline.local_org.schema import Row
    from crm_pipeline.local_org.store import Table
    from crm_pipeline.local_org.transaction import WriteContext


class Rules:
    """All rules of one org."""

    def check(self, context: WriteContext, table: Table, row: Row, old: Row | None) -> None:
        """Raises the failure of a rule that the row breaks; may give it another owner."""
