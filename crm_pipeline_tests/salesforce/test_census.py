"""Finding very many people by reading everybody."""

import pytest

from crm_pipeline.local_org.lifecycle import convert
from crm_pipeline.salesforce.census import count_people, read_people
from crm_pipeline.salesforce.composite import Subrequest, query_all
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import OrgUnavailable
from crm_pipeline.salesforce.matching import Candidate, find_people
from crm_pipeline_tests.salesforce.orgs import LocalOrg


def _schemas(connection: Org) -> dict[str, SObjectSchema]:
    also = [
        Subrequest(name, "GET", f"sobjects/{name}/describe", kind="describe")
        for name in ("Lead", "Contact")
    ]
    answers = query_all(connection, [], also=also).also
    return {a.body["name"]: SObjectSchema.from_describe(a.body) for a in answers}


def _people(org: LocalOrg) -> None:
    org.seed(
        "Lead",
        *[
            {"LastName": "A, B", "Company": "two\nlines", "Email": f"Lead{n}@Example.com"}
            for n in range(30)
        ],
        {"LastName": "nobody", "Company": "c"},
    )
    org.seed("Contact", *[{"LastName": "C", "Email": f"lead{n}@example.com"} for n in range(5)])
    [lead] = org.seed("Lead", {"LastName": "D", "Company": "c", "Email": "gone@example.com"})
    convert(org.org, lead)


def test_a_census_reads_the_same_people_as_queries_do(org):
    _people(org)
    connection = org.connect()
    keys = [*(f"lead{n}@example.com" for n in range(40)), "gone@example.com"]
    wanted = {"Lead": ["LastName", "Company"], "Contact": ["LastName"]}

    census = read_people(connection, _schemas(connection), wanted)
    queries = find_people(
        connection, keys, lead_fields=wanted["Lead"], contact_fields=wanted["Contact"]
    )

    assert len(queries) == 31
    assert sorted((key, *_shown(each)) for key, each in census) == sorted(
        (key, *_shown(each)) for key, found in queries.items() for each in found
    )


def _shown(candidate: Candidate) -> tuple[str, str]:
    """A record; bulk and REST spell times differently."""
    fields = {name: value for name, value in candidate.fields.items() if name != "CreatedDate"}
    return candidate.salesforce_id, repr(candidate._replace(fields=dict(sorted(fields.items()))))


def test_a_census_costs_the_same_whatever_the_number_of_people(org):
    _people(org)
    connection = org.connect()
    schemas = _schemas(connection)
    before = connection.api_calls

    count_people(connection)
    assert len(list(read_people(connection, schemas, {"Lead": [], "Contact": []}))) == 37

    assert connection.api_calls - before <= 9  # One to count, then two bulk queries of about four.
    assert connection.api_calls == org.charged


def test_people_are_counted_in_one_call(org):
    _people(org)
    connection = org.connect()

    assert count_people(connection) == 37
    assert connection.api_calls == 1


def test_people_that_cannot_be_counted_now_are_for_later(org):
    org.weather("query", "error", code="QUERY_TIMEOUT", status=400)

    with pytest.raises(OrgUnavailable, match="QUERY_TIMEOUT"):
        count_people(org.connect())
