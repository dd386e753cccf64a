"""The remedy for each refusal of each kind of operation: the whole table."""

from typing import Any

import pytest

from crm_pipeline.delivery.decisions import Decision
from crm_pipeline.delivery.delivery import DeliveryPart, with_every_kind
from crm_pipeline.delivery.kind import (
    ACTIVITY,
    CAMPAIGN,
    MEMBER,
    OF_THE_ORG,
    PERSON,
    RECORD,
    RECORD_THAT_STAYS_GONE,
    Kind,
    remedy,
)
from crm_pipeline.salesforce.errors import ERROR_TABLE, Treatment
from crm_pipeline.salesforce.outcomes import Write, WrittenAs

SAME_FOR_ALL = {
    Treatment.RETRY: "LATER",
    Treatment.RETRY_SERIALLY: "AGAIN_ONCE",
    Treatment.TRY_LATER: "LATER",
    Treatment.RESEND: "AGAIN",
    Treatment.GIVE_UP: "NEVER",
    Treatment.DEGRADE_FIELD: "WITHOUT_FIELDS",
    Treatment.RESTART_QUERY: "NEVER",
}

# Kind and action: a record is there already, it is gone, one that it names is gone, a duplicate
# rule strikes.
DIFFERENT: list[tuple[Kind, WrittenAs, str, str, str, str]] = [
    (PERSON, "create", "NEVER", "LATER", "LATER", "USE_DUPLICATE"),
    (PERSON, "update", "NEVER", "RELOCATE", "RELOCATE", "NEVER"),
    (ACTIVITY, "create", "NEVER", "RELOCATE", "RELOCATE", "NEVER"),
    (ACTIVITY, "update", "NEVER", "STAYS_GONE", "RELOCATE", "NEVER"),
    (MEMBER, "create", "READ_ANEW", "RELOCATE", "RELOCATE", "NEVER"),
    (MEMBER, "update", "READ_ANEW", "READ_ANEW", "READ_ANEW", "NEVER"),
    (CAMPAIGN, "create", "NEVER", "RELOCATE", "RELOCATE", "NEVER"),
    (RECORD, "create", "NEVER", "LATER", "LATER", "NEVER"),
    (RECORD, "update", "NEVER", "MADE_ANEW", "SEE_WHICH_IS_GONE", "NEVER"),
    (RECORD, "delete", "NEVER", "STAYS_GONE", "STAYS_GONE", "NEVER"),
    (RECORD_THAT_STAYS_GONE, "update", "NEVER", "STAYS_GONE", "SEE_WHICH_IS_GONE", "NEVER"),
]

OF_THE_ACCOUNT = (Treatment.STOP_ACCOUNT, Treatment.PAUSE_ACCOUNT, Treatment.LOG_IN_AGAIN)


@pytest.mark.parametrize(("kind", "action", "there", "gone", "reference", "duplicate"), DIFFERENT)
def test_every_treatment_has_its_remedy(
    kind: Kind, action: WrittenAs, there: str, gone: str, reference: str, duplicate: str
) -> None:
    expected = [
        *((treatment, False, name) for treatment, name in SAME_FOR_ALL.items()),
        *((treatment, True, name) for treatment, name in SAME_FOR_ALL.items()),
        (Treatment.ALREADY_THERE, False, there),
        (Treatment.SWITCH_TARGET, False, gone),
        (Treatment.SWITCH_TARGET, True, reference),
        (Treatment.USE_DUPLICATE, False, duplicate),
        (Treatment.MEND_ORG, False, "WAITS" if action == "create" else "NEVER"),
    ]
    found = [
        (treatment, of_reference, remedy(kind, treatment, action, of_reference=of_reference).name)
        for treatment, of_reference, _ in expected
    ]
    assert found == expected


def test_no_treatment_of_the_error_table_is_left_without_a_remedy() -> None:
    for treatment in set(ERROR_TABLE.values()) - set(OF_THE_ACCOUNT):
        for kind, action, *_ in DIFFERENT:
            assert remedy(kind, treatment, action, of_reference=False)


def test_a_kind_without_an_answer_for_a_lost_creation_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="lost_creation"):
        Kind("thing", outcomes={})  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "kinds", [[ACTIVITY, MEMBER, CAMPAIGN, RECORD], [*OF_THE_ORG.values()] * 2]
)
def test_a_kind_that_no_part_of_the_delivery_sends_or_two_do_is_an_error_at_start(
    kinds: list[Kind],
) -> None:
    with pytest.raises(ValueError, match="has to be sent by one part"):
        with_every_kind([DeliveryPart((kind,), lambda *_: None) for kind in kinds])


@pytest.mark.parametrize("treatment", OF_THE_ACCOUNT)
def test_what_concerns_the_account_is_none_of_a_write(treatment: Treatment) -> None:
    with pytest.raises(KeyError):
        remedy(PERSON, treatment, "create", of_reference=False)


@pytest.mark.parametrize(
    ("kind", "fields", "names"),
    [
        (ACTIVITY, {"WhoId": "00Q", "Subject": "x"}, True),
        (ACTIVITY, {"Subject": "x"}, False),
        (MEMBER, {"LeadId": "00Q"}, True),
        (MEMBER, {"Status": "Attended"}, False),
        (PERSON, {"Email": "a@example.com"}, False),
    ],
)
def test_a_write_names_another_record_by_a_reference(
    kind: Kind, fields: dict[str, Any], *, names: bool
) -> None:
    decision = Decision(1, "update", "Event", None, {}, "", kind=kind)
    assert decision.names_another(Write(1, "Event", "update", fields)) is names
