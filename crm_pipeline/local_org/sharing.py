"""Records that the users of the API may not see: sharing, as far as an org has it here.

They are absent without a word: no query finds them, parents are null, reads answer NOT_FOUND.
Writing them is refused. The actions of people by the admin path are not affected.
"""

from crm_pipeline.local_org.errors import RowFailure, refuse
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.store import Org

HIDDEN: PerOrg[set[str]] = PerOrg(set)
"""The ids of the records that are hidden."""


def no_access() -> RowFailure:
    """The refusal of a write to a record that is hidden."""
    return refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def is_hidden(org: Org, record_id: str) -> bool:
    """Returns whether the users of the API may not see this record (18 characters)."""
    return record_id in HIDDEN[org]
