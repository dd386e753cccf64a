"""Traces of a cycle, as a real receiver of OTLP over HTTP gets them."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import Engine

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.local_org.store import Org
from crm_pipeline.settings import PROJECT, settings
from crm_pipeline.tracing import span, stop_tracing
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


@contextmanager
def receiving() -> Iterator[tuple[str, list[bytes]]]:
    came: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["Content-Type"] == "application/x-protobuf"
            came.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()
        thread.join()


def of(span: Span) -> dict[str, str]:
    return {
        each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes
    }


def test_a_cycle_is_a_trace_of_its_parts_and_calls_without_personal_data(
    org: Org, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipeline.begin() as connection:
        for person in (1, 2):
            add_person(connection, person)
            register(connection, person, person, minute=person)
    with receiving() as (url, came):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("TRACING", "true")
        settings.cache_clear()
        assert sync_account("acme", run_id="run-1").state == "Complete"
        stop_tracing()
    [resource] = {
        each.value.string_value
        for body in came
        for spans in ExportTraceServiceRequest.FromString(body).resource_spans
        for each in spans.resource.attributes
        if each.key == "service.name"
    }
    assert resource == "crm-pipeline"
    found = [
        each
        for body in came
        for spans in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in spans.scope_spans
        for each in scope.spans
    ]
    assert [each.name for each in found if not each.parent_span_id] == ["cycle"]
    assert len({each.trace_id for each in found}) == 1
    by_id = {each.span_id: each for each in found}
    [root] = [each for each in found if not each.parent_span_id]
    assert root.name == "cycle"
    assert of(root)["account"] == "acme"
    assert of(root)["state"] == "Complete"
    assert all(each.parent_span_id in by_id for each in found if each is not root)
    calls = [each for each in found if each.name.startswith(("GET ", "POST "))]
    assert {of(each)["url.path"].rpartition("/")[2] for each in calls} >= {"composite", "token"}
    assert {of(each)["http.response.status.code"] for each in calls} <= {"200", "201"}
    parents = {by_id[each.parent_span_id].name for each in calls}
    assert parents >= {"cycle", "send person, activity"}
    assert {each.name for each in found} > {"read", "send person, activity"}
    said = " ".join(text for each in found for text in (each.name, *of(each).values()))
    assert "@" not in said
    assert "SELECT" not in said
    assert "00Q" not in said


def test_an_error_is_told_by_its_type_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_pipeline.tracing import start_tracing

    with receiving() as (url, came):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        start_tracing()
        with pytest.raises(ValueError, match="ann"), span("part"):
            raise ValueError("ann@example.com")
        stop_tracing()
    assert b"ValueError" in b"".join(came)
    assert b"ann@" not in b"".join(came)


def test_tracing_that_is_off_imports_nothing() -> None:
    program = (
        "import sys, crm_pipeline.cycle.cycle, crm_pipeline.definitions;"
        "print([each for each in sys.modules if each.startswith('opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
