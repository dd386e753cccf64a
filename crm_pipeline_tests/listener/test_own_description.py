"""Whatever the listener's own description lets somebody ask has an answer that stands in it.

A few examples in the suite; `make fuzz` asks for thousands. Schemathesis takes long to be imported,
and only who runs these tests needs it.
"""

import os
from itertools import count
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from crm_pipeline_tests.listener.conftest import Desk

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))

SILENT = ("GET /discovery", "GET /health")


@pytest.mark.parametrize("said", ["positive", "negative"])
def test_every_answer_is_one_that_is_described(
    desk: Desk, said: Literal["positive", "negative"]
) -> None:
    import schemathesis
    from schemathesis import GenerationMode, checks
    from schemathesis.core.result import Ok

    mode = GenerationMode(said)
    held = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.response_headers_conformance,
    ]
    desk.settings(requests_per_minute=1_000_000, keys_in_query=True)
    desk.user("7", "tom@example.com", country_code="GB")
    schema = schemathesis.openapi.from_url(f"{desk.url}/openapi.json")
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    if mode is GenerationMode.NEGATIVE:
        # Where nothing is said, nothing can be said wrongly.
        operations = [each for each in operations if each.label not in SILENT]
    asked: set[str] = set()
    statuses: set[int] = set()
    number = count()
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize="FUZZ_EXAMPLES" not in os.environ,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            if next(number) % 2:
                _make_likely(case, desk)
            answer = case.call(headers={"Authorization": f"Bearer {desk.key}"})
            asked.add(case.operation.label)
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=held)

        ask()
    assert len(asked) == len(operations) >= 6
    assert {404, 422} <= statuses
    if mode is GenerationMode.POSITIVE:
        assert {200, 202} <= statuses


def _make_likely(case: Any, desk: Desk) -> None:
    """Has a case name what is there: else nothing would come further than a 404."""
    parts, query = case.path_parameters or {}, case.query or {}
    if "name" in parts:
        names = {"userMacro": "gdpr", "external": "bugs", "userData": "plan", "outbound": "gdpr"}
        [parts["name"]] = [name for said, name in names.items() if said in case.path]
    if "key" in parts:
        parts["key"] = desk.key
    if "find" in query:
        query["find"] = "tom@example.com"
