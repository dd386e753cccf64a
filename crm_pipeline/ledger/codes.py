"""Codes of ours, beside those of Salesforce: why an operation failed, or waits.

docs/error-codes.md lists them (`make reference`).
"""

from enum import StrEnum


class OwnCode(StrEnum):
    """A code that the ledger has where Salesforce gives none.

    Attributes:
        meaning: what happened.
        remedy: what people can do.
    """

    meaning: str
    remedy: str

    def __new__(cls, code: str, meaning: str, remedy: str) -> "OwnCode":
        """A member that is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning, member.remedy = meaning, remedy
        return member

    SEVERAL_MATCHES = (
        "SEVERAL_MATCHES",
        (
            "Several records stand for the person, and the account takes none of them "
            "(`several_matches`)."
        ),
        "Merge them in the org, then `crm-pipeline operations requeue`.",
    )
    KEY_TAKEN = (
        "KEY_TAKEN",
        (
            "Two things of the source, or of two accounts of one org, have one key, and one record "
            "cannot be both: the first has it."
        ),
        "Give each a key of its own at the source, or the accounts other objects or prefixes.",
    )
    FIELD_TAKEN = (
        "FIELD_TAKEN",
        "Another account of the same org fills these fields of the record.",
        "Choose other fields for one of the two.",
    )
    HIDDEN_FIELD = (
        "HIDDEN_FIELD",
        "The user may not write a field without which the record would be nobody's.",
        "Give the user Read and Edit on it in a permission set; what waits then goes by itself.",
    )
    NO_CAMPAIGN = (
        "NO_CAMPAIGN",
        "There is no campaign for the event, and none is to be made (`create_campaigns`).",
        "Give one the key, or name one: `crm-pipeline campaign link`.",
    )
    CAMPAIGN_DELETED = (
        "CAMPAIGN_DELETED",
        "People deleted the campaign, or hid it from the user; it is not made again.",
        "Restore it, or name another: `crm-pipeline campaign link`.",
    )
    UNKNOWN_STATUS = (
        "UNKNOWN_STATUS",
        "The campaign lacks a member status, and the account makes none (`unknown_status`).",
        "Add it to the campaign, or have it made.",
    )
    NO_EXTERNAL_ID = (
        "NO_EXTERNAL_ID",
        "The field `external_id_field` of Campaign is no external id in the org.",
        "Make it one.",
    )
    NOT_CONFIRMED = (
        "NOT_CONFIRMED",
        "A platform event was published, and the record does not show what it said.",
        "See whether the flow or trigger for it is active in the org.",
    )
    HOLD_REJECTED = (
        "HOLD_REJECTED",
        "A person rejected what a held cycle would have sent.",
        "Nothing; or `crm-pipeline operations requeue --account ACCOUNT --code HOLD_REJECTED`.",
    )
    UNKNOWN_PERSON = (
        "UNKNOWN_PERSON",
        (
            "Left out: the org does not know the person, and the account creates nobody "
            "(`unknown_email`)."
        ),
        "Nothing: they go once the org knows them or the setting changes.",
    )
    REFERENCE_LEFT_OUT = (
        "REFERENCE_LEFT_OUT",
        "Left out: the person or record that it belongs to is.",
        "Nothing: it goes with that.",
    )
    PERSON_DROPPED = (
        "PERSON_DROPPED",
        "Left out: an operator dropped the person.",
        "Nothing; or requeue the person.",
    )
    CAMPAIGN_DROPPED = (
        "CAMPAIGN_DROPPED",
        "Left out: an operator dropped the event's campaign.",
        "Nothing; or name one: `crm-pipeline campaign link`.",
    )
    NOTHING_ABOUT_THEM = (
        "NOTHING_ABOUT_THEM",
        "Left out: nothing is wanted of the person by now.",
        "Nothing: they go once something is.",
    )
