"""Traces of cycles, by OpenTelemetry. Off until `start_tracing`; then nothing is imported for it.

A span has names of ours, counts and states: no values of rows, no query, no message of an error.
"""

import contextvars
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

F = TypeVar("F", bound=Callable[..., object])

Attribute = str | int | float | bool

_starting = Lock()
_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


class Noting(Protocol):
    """Adds attributes to a span that is under way."""

    def __call__(self, **attributes: Attribute) -> None:
        """Adds them; names with dots are written with underscores."""


def start_tracing() -> None:
    """Has spans be sent by OTLP over HTTP, from now on in this process; once.

    Where to, with which headers and how often is said by OpenTelemetry's own variables, such as
    OTEL_EXPORTER_OTLP_ENDPOINT. Sending never holds up who is traced: what a receiver does not
    take in time is lost, and its failure is logged.

    Raises:
        ImportError: the extra `otel` is not installed.
    """
    global _provider, _tracer  # noqa: PLW0603 - one tracer for the process
    with _starting:
        if _tracer is not None:
            return
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say more, and otherwise.
        resource = Resource({SERVICE_NAME: "crm-pipeline"}).merge(Resource.create())
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "crm-pipeline"}))
        _provider = TracerProvider(resource=resource)
        _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        _tracer = _provider.get_tracer("crm_pipeline")


def stop_tracing() -> None:
    """Sends what is left, and traces no more in this process."""
    global _provider, _tracer  # noqa: PLW0603 - one tracer for the process
    with _starting:
        if _provider is not None:
            _provider.shutdown()
        _provider = _tracer = None


def span(name: str, **attributes: Attribute) -> AbstractContextManager[Noting]:
    """A span around a block, below the one that is under way; nothing where tracing is off.

    An error that leaves the block is noted by its type alone.

    Args:
        name: of few values: a step or a sort of call, no account.
        attributes: names with dots are written with underscores.
    """
    return _OFF if _tracer is None else _span(_tracer, name, attributes)


def carried(function: F) -> F:
    """The function, for another thread: spans there are below the one that is under way here."""
    if _tracer is None:
        return function
    here = contextvars.copy_context()

    def there(*args: object, **named: object) -> object:
        # A context is entered by one thread at a time.
        return here.copy().run(function, *args, **named)

    return there  # type: ignore[return-value]


def _ignore(**_: Attribute) -> None:
    pass


_OFF: AbstractContextManager[Noting] = nullcontext(_ignore)


@contextmanager
def _span(tracer: "Tracer", name: str, attributes: Mapping[str, Attribute]) -> Iterator[Noting]:
    from opentelemetry.trace import Status, StatusCode

    with tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    ) as under_way:

        def note(**more: Attribute) -> None:
            for key, value in more.items():
                under_way.set_attribute(key.replace("_", "."), value)

        note(**attributes)
        try:
            yield note
        except BaseException as error:
            under_way.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
