"""A plan that what is sent is held to: what it does not say waits, or is noted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.plans import KeptPlan
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.text import storable_json


@dataclass(frozen=True, slots=True)
class Approval:
    """The plan that what is sent is held to.

    Attributes:
        binds: whether a person has approved it, and what it does not say is not sent.
        touched: operations whose records others had changed since, before they were sent.
    """

    ledger: AccountLedger
    plan: KeptPlan
    binds: bool
    touched: set[int] = field(default_factory=set)

    def departing(self, writes: Sequence[Write]) -> Collection[int]:
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
        asked = {
            "plan_id": self.plan.plan_id,
            "binds": self.binds,
            "writes": storable_json(told),
        }
        return set(self.ledger.connection.scalars(statement("plans/unapproved"), asked))
