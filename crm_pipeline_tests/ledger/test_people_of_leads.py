"""Registrants and tracked leads are people by one set of rules, whatever comes in which order."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from crm_pipeline.ledger.people import Sighting, identify
from crm_pipeline.ledger.tracked_leads import TrackedLead, record_leads, which_changed
from crm_pipeline_tests.ledger.conftest import ACCOUNT, NOON

EMAILS = [f"{name}@acme.test" for name in "abc"]
PHONES = ["tel:+4930901820", "tel:+4930901821"]

_REGISTRANT = st.tuples(st.sampled_from(["p1", "p2", "p3"]), st.sampled_from(EMAILS))
_LEAD = st.tuples(
    st.sampled_from("123456"),
    st.sampled_from([None, *EMAILS]),
    st.sampled_from([None, *PHONES]),
).filter(lambda said: said[1] is not None or said[2] is not None)
_STEP = st.one_of(
    st.lists(_REGISTRANT, min_size=1, max_size=3, unique_by=lambda said: said[0]),
    st.lists(_LEAD, min_size=1, max_size=4, unique_by=lambda said: said[0]),
)


def _present(_: Collection[str]) -> Collection[Sighting]:
    return ()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=1, max_size=6))
def test_each_lead_is_about_somebody_who_is_known_by_what_it_says(
    ledger: Connection, steps: Sequence[Sequence[tuple[str, ...]]]
) -> None:
    given_with: dict[str | None, set[str | None]] = {phone: {phone} for phone in PHONES}
    moved = False
    with ledger.begin_nested() as example:
        registered: dict[str, str] = {}
        for minute, step in enumerate(steps):
            at = NOON + timedelta(minutes=minute)
            if len(step[0]) == 2:
                said = [Sighting(each[0], each[1], at) for each in step]
                moved |= any(
                    registered.get(str(each.source_person), each.address) != each.address
                    for each in said
                )
                registered |= {str(each.source_person): each.address for each in said}
                identify(ledger, ACCOUNT, said, _present)
                continue
            leads = [TrackedLead(n, at, at, None, email, phone) for n, email, phone in step]
            for each in leads:
                given_with.setdefault(each.phone, set()).add(each.email)
            before = which_changed(ledger, ACCOUNT, leads)
            record_leads(ledger, ACCOUNT, [e for e in leads if e.lead_id in before], before)
        rows = ledger.execute(
            text(
                "SELECT t.lead_id, t.email, t.phone, p.address, k.person_key = t.person_key AS same"
                " FROM crm.tracked_lead AS t LEFT JOIN crm.person AS p USING (person_key)"
                " LEFT JOIN crm.person_pointer AS k"
                " ON k.kind = 'tracked_lead' AND k.value = t.lead_id"
            )
        ).all()
        example.rollback()
    for lead in rows:
        assert lead.address is not None, "nobody is behind a lead"
        assert lead.same, "it points to somebody else"
        # A registrant with another address is the same person still, with all leads.
        assert moved or lead.address == lead.email or lead.email is None
        assert moved or lead.email or lead.address in given_with[lead.phone]
