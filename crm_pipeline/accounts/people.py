"""An account's choices for people's records, whichever flow brings them. Plain values."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

UnknownEmail = Literal["Lead", "Contact", "neither"]
"""The record of a person whom the org does not know."""

OPT_OUT = "HasOptedOutOfEmail"
"""A no to emails, which a clear yes clears where the account says so (`consent_clears_opt_out`)."""

OPT_OUTS = frozenset((OPT_OUT, "HasOptedOutOfFax", "DoNotCall"))
"""Set by a clear no, and never cleared by us: a yes to one webinar is no yes to all emails."""


def _by_its_name(value: object) -> object:
    """Refuses a policy that had another name."""
    if value == "always":
        raise ValueError("'always' cannot be done: it is called source now")
    return value


FieldPolicy = Annotated[
    Literal["never", "when_empty", "source", "unless_edited", "newest", "ask"],
    BeforeValidator(_by_its_name),
]
"""The cases in which a field of an existing Lead or Contact is written.

never: not at all; when_empty: where nothing stands there (of a checkbox: where it is not ticked);
source: what changed in the source; unless_edited: likewise, while there is nothing or what we
wrote last; newest: likewise, or where the record was last changed before the source said so; ask:
as unless_edited, but what people wrote is kept as a conflict until a person decides about it.
"""

STAYS = frozenset(("LeadSource",))
"""Fields that are written when empty, unless an account names them: where people came from."""

NEEDS_A_LOOK: frozenset[str] = frozenset(("when_empty", "unless_edited", "newest", "ask"))
"""Policies that depend on what stands in the org."""

LAST_CHANGED = "LastModifiedDate"
"""Salesforce tells when a record was changed last, not when a field was: a field is no newer."""


def is_written(
    policy: str,
    field: str,
    new: Any,
    there: Any,
    ours: Sequence[Any],
    *,
    is_newer: bool = True,
    clears_opt_out: bool = False,
) -> bool:
    """Returns whether a field of an existing record is to be written.

    Args:
        policy: the account's, for this field.
        field: its name.
        new: the value that differs from what was last sent, or from what stands there.
        there: what stands in the org; only looked at where the policy needs a look.
        ours: what we wrote there last: several values where an answer was lost, none where nothing.
        is_newer: whether the source said so after the record was changed last.
        clears_opt_out: whether a clear yes to emails clears a no.
    """
    if policy == "never":
        return False
    if field in OPT_OUTS and new is not True and not (clears_opt_out and field == OPT_OUT):
        return False
    if policy not in NEEDS_A_LOOK:
        return True
    if there is None or there is False or there == "":
        return new is not None
    if policy == "newest" and is_newer:
        return True
    return policy != "when_empty" and there in ours
