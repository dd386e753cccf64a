"""To which tracked leads an opportunity belongs, by which rule, or why it waits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from crm_pipeline.flows.attribution.matches import (
    Deal,
    Known,
    MatchableLead,
    OrgPerson,
    Role,
    Rule,
    find,
    waits_because,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHONE = "+4930123456"


def lead(number: int, *, minute: int = -10, person: int | None = None) -> MatchableLead:
    at = NOON + timedelta(minutes=minute)
    return MatchableLead(f"L{number}", at, number if person is None else person)


ONE, TWO = lead(1), lead(2)


def known(
    *leads: MatchableLead,
    records: dict[str, Sequence[MatchableLead]] | None = None,
    emails: dict[str, Sequence[MatchableLead]] | None = None,
    phones: dict[str, Sequence[MatchableLead]] | None = None,
    shared: frozenset[str] = frozenset(),
) -> Known:
    by_id = {each.lead_id: each for each in leads}
    return Known(by_id, records or {}, emails or {}, phones or {}, shared)


def found(deal: Deal, by: Known) -> list[tuple[str, Rule]]:
    return [(each.lead.lead_id, each.rule) for each in find(deal, by)]


CONTACT = OrgPerson("003A", email="a@x.example", phones=(PHONE,))
ROLE = Role(CONTACT)


@pytest.mark.parametrize(
    ("deal", "by", "expected"),
    [
        (Deal(NOON, tracker_id="L1"), known(ONE), Rule.ID_ON_OPPORTUNITY),
        (
            Deal(NOON, converted=(OrgPerson("00Q1", tracker_id="L1"),)),
            known(ONE),
            Rule.CONVERTED_LEAD,
        ),
        (
            Deal(NOON, converted=(OrgPerson("00Q1"),)),
            known(records={"00Q1": [ONE]}),
            Rule.CONVERTED_LEAD,
        ),
        (
            Deal(NOON, converted=(OrgPerson("00Q1", email="a@x.example"),)),
            known(emails={"a@x.example": [ONE]}),
            Rule.CONVERTED_LEAD,
        ),
        (
            Deal(NOON, converted=(OrgPerson("00Q1", phones=(PHONE,)),)),
            known(phones={PHONE: [ONE]}),
            Rule.CONVERTED_LEAD,
        ),
        (Deal(NOON, roles=(ROLE,)), known(records={"003A": [ONE]}), Rule.CONTACT_ROLE),
        (
            Deal(NOON, roles=(Role(CONTACT, converted=(OrgPerson("00Q1"),)),)),
            known(records={"00Q1": [ONE]}),
            Rule.CONTACT_ROLE,
        ),
        (
            Deal(NOON, roles=(Role(CONTACT, converted=(OrgPerson("00Q1", tracker_id="L1"),)),)),
            known(ONE),
            Rule.CONTACT_ROLE,
        ),
        (
            Deal(NOON, roles=(Role(OrgPerson("003A", tracker_id="L1")),)),
            known(ONE),
            Rule.ID_ON_CONTACT,
        ),
        (Deal(NOON, roles=(ROLE,)), known(emails={"a@x.example": [ONE]}), Rule.EMAIL),
        (Deal(NOON, roles=(ROLE,)), known(phones={PHONE: [ONE]}), Rule.PHONE),
    ],
)
def test_each_rule_finds_its_lead(deal: Deal, by: Known, expected: Rule) -> None:
    assert found(deal, by) == [("L1", expected)]


def test_the_rules_come_in_their_order() -> None:
    """Each lead is known by a rule of its own, all at once."""
    leads = [lead(number) for number in range(1, 7)]
    deal = Deal(
        NOON,
        converted=(OrgPerson("00Q1"),),
        roles=(Role(OrgPerson("003A", tracker_id="L3", email="a@x.example", phones=(PHONE,))),),
    )
    by = known(
        *leads,
        records={"00Q1": [leads[0]], "003A": [leads[1]]},
        emails={"a@x.example": [leads[3]]},
        phones={PHONE: [leads[4]]},
    )
    assert found(deal, by) == [
        ("L1", Rule.CONVERTED_LEAD),
        ("L2", Rule.CONTACT_ROLE),
        ("L3", Rule.ID_ON_CONTACT),
        ("L4", Rule.EMAIL),
        ("L5", Rule.PHONE),
    ]
    named = Deal(NOON, tracker_id="L6", converted=deal.converted, roles=deal.roles)
    assert found(named, by) == [("L6", Rule.ID_ON_OPPORTUNITY)]


def test_an_id_that_nobody_knows_leaves_it_to_the_other_rules() -> None:
    deal = Deal(NOON, tracker_id="mistyped", roles=(ROLE,))
    assert found(deal, known(records={"003A": [ONE]})) == [("L1", Rule.CONTACT_ROLE)]


def test_the_primary_contact_comes_first() -> None:
    other = Role(OrgPerson("003B"), is_primary=True)
    by = known(records={"003A": [ONE], "003B": [TWO]})
    assert [name for name, _ in found(Deal(NOON, roles=(ROLE, other)), by)] == ["L2", "L1"]


def test_a_lead_has_its_best_rule_once() -> None:
    by = known(ONE, records={"003A": [ONE]}, emails={"a@x.example": [ONE]})
    assert found(Deal(NOON, roles=(ROLE,)), by) == [("L1", Rule.CONTACT_ROLE)]


def test_of_a_persons_leads_the_last_before_the_opportunity_comes_first() -> None:
    calls = [lead(number, minute=at, person=1) for number, at in ((1, -9), (2, -3), (3, 5))]
    by = known(records={"003A": calls})
    assert [name for name, _ in found(Deal(NOON, roles=(ROLE,)), by)] == ["L2", "L1"]


def test_leads_that_all_came_later_count_the_first_one_first() -> None:
    calls = [lead(number, minute=at, person=1) for number, at in ((2, 9), (1, 3))]
    by = known(records={"003A": calls})
    assert [name for name, _ in found(Deal(NOON, roles=(ROLE,)), by)] == ["L1", "L2"]


def test_the_lead_named_on_a_converted_record_goes_before_later_ones_of_the_person() -> None:
    calls = [lead(1, minute=-9, person=1), lead(2, minute=-3, person=1)]
    deal = Deal(NOON, converted=(OrgPerson("00Q1", tracker_id="L1"),), roles=(ROLE,))
    by = known(*calls, records={"00Q1": calls, "003A": calls})
    assert found(deal, by) == [("L1", Rule.CONVERTED_LEAD), ("L2", Rule.CONTACT_ROLE)]


def test_a_shared_number_matches_nobody() -> None:
    deal = Deal(NOON, roles=(ROLE,))
    by = known(phones={PHONE: [ONE]}, shared=frozenset([PHONE]))
    assert find(deal, by) == []
    assert waits_because(deal, by) == (
        "nobody around it is a tracked lead but by a phone number that several people have"
    )


def test_it_waits_with_the_reason() -> None:
    assert find(Deal(NOON), known(ONE)) == []
    assert waits_because(Deal(NOON), known()) == (
        "no contact has a role in it, and no lead was converted into it"
    )
    deal = Deal(NOON, roles=(ROLE,))
    assert waits_because(deal, known()) == "nobody around it is a tracked lead"


def test_reasons_name_records_and_no_personal_data() -> None:
    by = known(emails={"a@x.example": [ONE]}, phones={PHONE: [TWO]})
    reasons = [each.because for each in find(Deal(NOON, roles=(ROLE,)), by)]
    assert reasons == ["email address of contact 003A", "phone number of contact 003A"]
