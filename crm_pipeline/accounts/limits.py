"""The limits of an account: a cycle that exceeds one is held before it sends, for a person."""

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """A cycle is held where it exceeds both of a pair: a share, or multiple, and a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    changed_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of the people who are known in the org that may change; 0: any.",
    )
    changed_people: int = Field(
        default=500, ge=0, le=2**31 - 1, description="So many may change whatever their share."
    )
    times_usual: float = Field(
        default=10,
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="How many times the mean of a day, in the 30 days before the account was "
        "Complete last, people may be new, of whom no record is known yet; 0: any.",
    )
    new_people: int = Field(
        default=1_000, ge=0, le=2**31 - 1, description="So many may be new whatever is usual."
    )
    deleted_share: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Share of what we made in the org that may be deleted, of activities, of "
        "memberships, of other records; 0: any.",
    )
    deletions: int = Field(
        default=100, ge=0, le=2**31 - 1, description="So many of each may whatever their share."
    )
    rejected_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the new rows that may be rejected, of those that usually are not; "
        "0: any.",
    )
    rejections: int = Field(
        default=100, ge=0, le=2**31 - 1, description="So many may whatever their share."
    )

    def most_changed(self, known: float) -> int | None:
        """So many of the people who are known may change; None: any number."""
        if not self.changed_share:
            return None
        return max(self.changed_people, int(self.changed_share * known))

    def may_hold(self, number: int) -> bool:
        """Returns whether so many records alone may hold a cycle, whatever they are."""
        least = min(self.changed_people, self.new_people, self.deletions, self.rejections)
        return number > least
