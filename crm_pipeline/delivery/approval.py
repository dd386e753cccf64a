"""Approval: a plan that a person has seen; what it does not say waits."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.text import storable_json


@dataclass(frozen=True, slots=True)
class Approval:
    """The plan by which alone something is sent."""

    ledger: AccountLedger
    plan_id: int

    def unapproved(self, writes: Sequence[Write]) -> set[int]:
        """Returns the operations whose writes are not those of the plan, field by field.

        Values that are Ids of records which were only to be made when it was made are not compared.
        """
        told = [
            {
                "operation_id": each.ref,
                "sobject": each.sobject,
                "action": each.written_as,
                "salesforce_id": each.salesforce_id,
                "fields": each.fields,
            }
            for each in writes
        ]
        asked = {"plan_id": self.plan_id, "writes": storable_json(told)}
        return set(self.ledger.connection.scalars(statement("plans/unapproved"), asked))
