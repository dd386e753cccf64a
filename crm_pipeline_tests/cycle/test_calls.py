"""A cycle costs exactly so many calls, as clients pay for them."""

from sqlalchemy import text

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, LONG_AGO

REGISTERED = """
WITH p AS (
    INSERT INTO warehouse.person (person_id, client_id, email, surname, company_name, shipped_at)
    SELECT n, :client, 'p' || n || '@example.com', 'Last ' || n, 'Acme', :at
    FROM generate_series(1, 10000) AS n
    RETURNING person_id
)

INSERT INTO warehouse.registration (
    registration_id, client_id, event_session_id, person_id, status, registered_at, shipped_at
)
SELECT person_id, :client, 1, person_id, 'registered', :at, :at
FROM p
"""


def test_ten_thousand_registrations_take_twenty_two_calls_and_nothing_new_none(
    bench: Bench,
) -> None:
    """Six in ten are known in the org: two to find them, ten for people, ten for activities."""
    known = [{"LastName": "Old", "Email": f"p{n}@example.com"} for n in range(1, 6_001)]
    leads = [{**each, "Company": "Old"} for each in known[:4_000]]
    bench.admin("seed", Lead=leads, Contact=known[4_000:])
    bench.connection.execute(text(REGISTERED), {"client": CLIENT, "at": LONG_AGO})
    report = bench.cycle()
    assert report.state == "Complete"
    assert (len(bench.records("Lead")), len(bench.records("Event"))) == (8_000, 10_000)
    assert report.counts.api_calls == 22, report.api_calls_by_kind
    assert bench.cycle().counts.api_calls == 0
