"""Room for new records: they wait where they would fill up the org's data storage."""

from dataclasses import dataclass

from crm_pipeline.salesforce.data_storage import DataStorage

ASKED_FROM = 200
"""New records for which the org is asked; fewer are not worth the call."""


EVERYTHING = ""
"""Names the room that the account has for whatever is made, beside those of single flows."""


@dataclass(slots=True)
class Room:
    """The new records that may still be made in this cycle; None: any number."""

    left: int | None = None

    def takes_one(self) -> bool:
        """Returns whether there is room for another one, which then is taken."""
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


def waiting_for_room(
    what: str, new: int, storage: DataStorage, share: float, setting: str
) -> str | None:
    """Returns a line for people about new records that have to wait; None: there is room for all.

    Args:
        what: they are of.
        new: how many are to be made.
        storage: of the org.
        share: of it that may be used.
        setting: that says so.
    """
    if (room := storage.room(share)) >= new:
        return None
    return (
        f"{new - room} new records of {what} wait: {storage.used} of {storage.limit} MB of the "
        f"org's data storage are used, and they may use {share:.0%}; free some there, or raise "
        f"{setting}"
    )
