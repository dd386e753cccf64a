"""A look whether an org has the records of the ledger, as a copy of the account's org would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_pipeline.salesforce.composite import Subrequest, composite, query_path
from crm_pipeline.salesforce.errors import OrgUnavailable, Treatment, decide
from crm_pipeline.salesforce.soql import quote, select

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

OF_EACH = 40
"""Records of each object that are looked for: few enough for one query."""


@dataclass(frozen=True, slots=True)
class KnownThere:
    """The numbers of the ledger's records that were looked for in an org, and that are there."""

    sought: int
    found: int

    def __str__(self) -> str:
        if not self.sought:
            return "The ledger knows no record that could be looked for there."
        return f"Of {self.sought} records that the ledger knows, {self.found} are there."


def look_for(org: "Org", known: Mapping[str, Sequence[str]]) -> KnownThere:
    """Looks for records in an org: one API call.

    Args:
        org: where to look. An object that it does not have, or hides from the user, has none.
        known: Ids by object, of five objects at most.

    Raises:
        SalesforceProblem: as `composite`; OrgUnavailable also where a query gets no answer now.
    """
    if not known:
        return KnownThere(0, 0)
    answers = composite(
        org,
        [
            Subrequest(f"q{place}", "GET", query_path(_query(sobject, ids)), kind="query")
            for place, (sobject, ids) in enumerate(known.items())
        ],
    )
    found = 0
    for answer in answers:
        if answer.error is None:
            found += len(answer.body["records"])
        elif decide(*answer.error, answer.status) is not Treatment.STOP_ACCOUNT:
            raise OrgUnavailable(f"A query cannot be answered now: {answer.error[0]}")
    return KnownThere(sum(map(len, known.values())), found)


def _query(sobject: str, ids: Sequence[str]) -> str:
    return select(["Id"], sobject, f"Id IN ({','.join(map(quote, ids))})")
