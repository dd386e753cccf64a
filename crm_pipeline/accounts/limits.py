"""The limits of an account: a cycle that exceeds one is held before it sends, for a person."""

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Of each pair both have to be exceeded; a share, or `times_usual`, of 0 switches it off.

    Attributes:
        changed_share: of the known people, that may change.
        changed_people: so many may in any case.
        times_usual: how often the mean of a day in the last 30 there may be of new people.
        new_people: so many may in any case.
        deleted_share: of what we made in the org of one kind, that may be deleted.
        deletions: so many of a kind may in any case.
        rejected_share: of the new rows that usually come through, that may be rejected.
        rejections: so many may in any case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    changed_share: float = Field(default=0.2, ge=0, le=1)
    changed_people: int = Field(default=500, ge=0, le=2**31 - 1)
    times_usual: float = Field(default=10, ge=0, le=1_000_000, allow_inf_nan=False)
    new_people: int = Field(default=1_000, ge=0, le=2**31 - 1)
    deleted_share: float = Field(default=0.02, ge=0, le=1)
    deletions: int = Field(default=100, ge=0, le=2**31 - 1)
    rejected_share: float = Field(default=0.5, ge=0, le=1)
    rejections: int = Field(default=100, ge=0, le=2**31 - 1)
