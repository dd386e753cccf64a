"""Matching: the record that stands for a person."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.salesforce.composite import Subrequest
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.matching import (
    Candidate,
    Candidates,
    Match,
    choose,
    find_activities,
    find_people,
    follow_contacts,
    follow_leads,
)

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _lead(number: int, day: int = 0, became: str | None = None) -> Candidate:
    return Candidate(
        "Lead", f"00Q{number}", {}, DAY + timedelta(days=day), became is not None, became or None
    )


def _contact(number: int, day: int = 0) -> Candidate:
    return Candidate("Contact", f"003{number}", {}, DAY + timedelta(days=day))


@pytest.mark.parametrize(
    ("candidates", "chosen", "reason"),
    [
        ([], None, None),
        ([_lead(1)], "00Q1", "the only lead with this email"),
        ([_contact(1)], "0031", "the only contact with this email"),
        ([_contact(1), _lead(1, day=9)], "00Q1", "the only lead with this email"),
        ([_lead(1, day=2), _lead(2, day=1)], "00Q2", "the oldest of 2 leads with this email"),
        ([_lead(2), _lead(1)], "00Q1", "the oldest of 2 leads with this email"),
        (
            [_contact(1, day=2), _contact(2, day=1)],
            "0032",
            "the oldest of 2 contacts with this email",
        ),
        (
            [_lead(1, became="0032"), _contact(1), _contact(2, day=5)],
            "0032",
            "the contact that the lead was converted to",
        ),
        ([_lead(1, became="0039"), _contact(1)], "0031", "the only contact with this email"),
        ([_lead(1, became="0039")], None, None),
        ([_lead(1, became="")], None, None),
        ([_lead(1, became="0031"), _contact(1), _lead(2, day=9)], "00Q2", "the only lead"),
        (
            [
                _lead(2, day=1, became="0031"),
                _lead(1, day=2, became="0032"),
                _contact(1),
                _contact(2),
            ],
            "0031",
            "the contact that the lead was converted to",
        ),
    ],
)
def test_the_record_of_a_person_is_chosen_by_rule(candidates, chosen, reason):
    match = choose(candidates)

    assert (match.salesforce_id if match else None) == chosen
    assert match is None or match.reason.startswith(reason)


_CANDIDATES = st.lists(
    st.one_of(
        st.builds(_lead, st.integers(0, 5), st.integers(0, 2)),
        st.builds(_lead, st.integers(0, 5), st.integers(0, 2), st.sampled_from(["0031", "0032"])),
        st.builds(_contact, st.integers(0, 5), st.integers(0, 2)),
    ),
    unique_by=lambda each: each.salesforce_id,
)


@given(_CANDIDATES, st.randoms())
def test_the_choice_does_not_depend_on_the_order_in_which_records_come(candidates, random):
    shuffled = list(candidates)
    random.shuffle(shuffled)

    assert choose(shuffled) == choose(candidates)


@given(_CANDIDATES)
def test_the_choice_is_a_record_that_can_be_written(candidates):
    match = choose(candidates)

    live = [each for each in candidates if not each.is_converted]
    assert (match is None) == (not live)
    assert match is None or match.salesforce_id in {each.salesforce_id for each in live}


def _find(connection: Org, *keys: str) -> Candidates:
    return find_people(connection, keys, lead_fields=["LastName"], contact_fields=["LastName"])


def _chosen(candidates: list[Candidate]) -> Match:
    match = choose(candidates)
    assert match is not None
    return match


def test_people_are_found_in_two_calls_whatever_the_case_of_their_email(org):
    org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "Ann@Example.com"})
    org.seed("Contact", {"LastName": "A", "Email": "ANN@example.com"}, {"LastName": "B"})
    connection = org.connect()

    found = _find(connection, "ann@example.com", *(f"p{n}@example.com" for n in range(9_999)))

    assert org.charged == 2
    assert set(found) == {"ann@example.com"}
    assert [c.sobject for c in found["ann@example.com"]] == ["Lead", "Contact"]
    lead, _ = found["ann@example.com"]
    assert lead.fields["LastName"] == "A"
    assert "attributes" not in lead.fields
    assert lead.created.tzinfo is not None


def test_an_email_that_looks_like_soql_is_data(org):
    org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})

    assert _find(org.connect(), "') OR Email LIKE ('%", "o'brien\\'@x.com", "o'brien@x.com") == {}


def test_a_converted_lead_leads_to_its_contact_even_under_another_address(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    contact = convert(org.org, lead).contact_id
    connection = org.connect()
    connection.request(
        "update", "PATCH", f"sobjects/Contact/{contact}", json={"Email": "ann@new.com"}, writes=True
    )

    match = _chosen(_find(connection, "ann@example.com")["ann@example.com"])

    assert (match.sobject, match.salesforce_id) == ("Contact", contact)
    assert match.fields["Email"] == "ann@new.com"


def test_a_converted_lead_whose_contact_has_the_address_costs_no_further_call(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    contact = convert(org.org, lead).contact_id

    match = _chosen(_find(org.connect(), "ann@example.com")["ann@example.com"])

    assert match.salesforce_id == contact
    assert org.charged == 1


def test_a_converted_lead_leads_past_a_merged_contact_to_its_master(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    contact = convert(org.org, lead).contact_id
    [master] = org.seed("Contact", {"LastName": "M", "Email": "master@example.com"})
    merge(org.org, "Contact", master, [contact])

    candidates = _find(org.connect(), "ann@example.com")["ann@example.com"]

    assert _chosen(candidates).salesforce_id == master


def test_a_converted_lead_whose_contact_was_deleted_is_nobody(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    contact = convert(org.org, lead).contact_id
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Contact/{contact}", writes=True)

    assert choose(_find(connection, "ann@example.com")["ann@example.com"]) is None


def test_hidden_fields_are_left_out_where_describes_ride_along(org):
    org.seed("Lead", {"LastName": "A", "Company": "c", "Email": "ann@example.com"})
    org.org.hide_fields(["Lead.Phone"])
    connection = org.connect()
    also = [
        Subrequest(f"d{name}", "GET", f"sobjects/{name}/describe", kind="describe")
        for name in ("Lead", "Contact")
    ]
    find = partial(
        find_people,
        connection,
        ["ann@example.com"],
        lead_fields=["Phone", "City"],
        contact_fields=["Phone"],
    )

    found = find(also=also)

    [lead] = found["ann@example.com"]
    assert "City" in lead.fields
    assert "Phone" not in lead.fields
    assert [answer.body["name"] for answer in found.also] == ["Lead", "Contact"]
    assert org.charged == 2
    with pytest.raises(AccountStopped):
        find()


def test_activities_of_people_are_found_by_their_time_whenever_they_were_created(org):
    [lead] = org.seed("Lead", {"LastName": "A", "Company": "c"})
    event = {"Subject": "Webinar Registration", "DurationInMinutes": 0}
    at = "2026-11-20T10:00:00.000+0000"
    org.seed(
        "Event",
        {**event, "WhoId": lead, "ActivityDateTime": "2026-11-20T09:59:59.000Z"},
        {**event, "WhoId": lead, "ActivityDateTime": at, "CreatedDate": "2020-01-01T00:00:00.000Z"},
        {**event, "WhoId": lead, "ActivityDateTime": "2026-11-20T10:00:01.000Z"},
        {**event, "ActivityDateTime": at},
    )
    when = datetime(2026, 11, 20, 10, tzinfo=UTC)

    [found] = find_activities(org.connect(), "Event", [lead, lead], between=(when, when))

    assert found["WhoId"] == lead
    assert found["Subject"] == "Webinar Registration"
    assert found["ActivityDateTime"] == at
    assert found["CreatedDate"] == "2020-01-01T00:00:00.000+0000"


def test_leads_are_followed_wherever_they_went(org):
    person = {"LastName": "A", "Company": "c"}
    kept, converted, merged, master, deleted, twice = org.seed("Lead", *[person] * 6)
    contact = convert(org.org, converted).contact_id
    merge(org.org, "Lead", master, [merged])
    merge(org.org, "Lead", merged_into := kept, [twice])
    last_contact = convert(org.org, merged_into).contact_id
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Lead/{deleted}", writes=True)
    unknown = str(long_id("00Q000000000000"))

    followed = follow_leads(connection, [converted, merged, master, deleted, twice, unknown])

    assert {lead: (f.sobject, f.salesforce_id, f.reason) for lead, f in followed.items()} == {
        converted: ("Contact", contact, "converted"),
        merged: ("Lead", master, "merged"),
        master: ("Lead", master, "unchanged"),
        deleted: ("Lead", None, "deleted"),
        twice: ("Contact", last_contact, "converted"),
        unknown: ("Lead", None, "gone"),
    }


def test_contacts_are_followed_through_merges(org):
    first, second, third, deleted = org.seed("Contact", *[{"LastName": "A"}] * 4)
    merge(org.org, "Contact", second, [first])
    merge(org.org, "Contact", third, [second])
    connection = org.connect()
    connection.request("delete", "DELETE", f"sobjects/Contact/{deleted}", writes=True)

    followed = follow_contacts(connection, [first, third, deleted])

    assert followed[first].salesforce_id == third
    assert followed[third].salesforce_id == third
    assert followed[deleted].salesforce_id is None
