"""Words of the source and the orgs before: noted whenever something is about to change there."""

from collections import defaultdict

from sqlalchemy import Connection

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.evidence import Participation, address, participations


class History:
    """Of accounts whose clients in the warehouse have the same names.

    Attributes:
        said: each account's participations, as the source ever said them.
        had: the addresses that each Lead and Contact ever had, by its id.
    """

    def __init__(self) -> None:
        self.said: defaultdict[str, set[Participation]] = defaultdict(set)
        self.had: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, rows: Connection, account: str, org: Org) -> None:
        """Notes how it is now."""
        self.said[account].update(participations(rows, account))
        for sobject in ("Lead", "Contact"):
            for record in org.table(sobject).rows.values():
                self.had[record["Id"]].add(address(record.get("Email") or ""))
