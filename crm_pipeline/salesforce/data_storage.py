"""The data storage of an org: what is used of it, and what records take."""

from typing import TYPE_CHECKING, NamedTuple

from crm_pipeline.salesforce.errors import OrgUnavailable

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

RECORDS_OF_A_MEGABYTE = 500
"""A record counts 2 KB, whatever is in it, with few exceptions; help, "Data and File Storage"."""

RECORDS_OF_A_CAMPAIGN = 4
"""One of the exceptions: a campaign counts 8 KB."""


class DataStorage(NamedTuple):
    """Data storage in MB."""

    used: int
    limit: int

    def room(self, share: float) -> int:
        """Returns how many new records there is room for below a share of the limit.

        The org tells whole megabytes, so that one more may be used.
        """
        return max(0, int((self.limit * share - self.used - 1) * RECORDS_OF_A_MEGABYTE))


def megabytes(records: int) -> int:
    """Returns the data storage that so many records take, in MB, rounded up."""
    return -(-records // RECORDS_OF_A_MEGABYTE)


def data_storage(connection: "Org") -> DataStorage:
    """Asks an org for its data storage; one API call.

    Raises:
        OrgUnavailable: it does not say.
        SalesforceProblem: as `Org.request`.
    """
    body = connection.request("limits", "GET", "limits").body
    try:
        of_data = body["DataStorageMB"]
        return DataStorage(int(of_data["Max"]) - int(of_data["Remaining"]), int(of_data["Max"]))
    except (TypeError, KeyError, ValueError):
        raise OrgUnavailable("The org does not say how much data storage it has") from None
