"""Every exception of ours goes to another process and comes back the same."""

import inspect
import pickle
from http import HTTPStatus
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

import crm_pipeline
from crm_pipeline.ledger.holds import Exceeded
from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.errors import RowError
from crm_pipeline.local_org.schema import bundled_types
from crm_pipeline.salesforce.errors import AccountStopped

EXAMPLES: dict[str, Any] = {
    "str": "text",
    "int": 400,
    "object": {"a": 1},
    "list": [],
    "AccountStopped": AccountStopped("it is locked", "unlock it", code="LOCKED"),
    "DBAPIError": DBAPIError("SELECT 1", {}, ValueError("nope")),
    "HTTPStatus": HTTPStatus.NOT_FOUND,
    "Fault": Fault(action="hang"),
    "Field": bundled_types()[0].fields["name"],
    "Sequence": [Exceeded("new people", 1_001, None, 1_000)],
    "RowError": RowError("CODE", "message", ("Email",)),
}
"""A value for each type that an exception must be given."""


def classes() -> list[type[BaseException]]:
    modules = [
        import_module(each.name)
        for each in walk_packages(crm_pipeline.__path__, "crm_pipeline.")
        if not each.name.endswith("__main__")
    ]
    found = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseException)
    }
    ours = [each for each in found if each.__module__.startswith("crm_pipeline.")]
    return sorted(ours, key=lambda each: f"{each.__module__}.{each.__qualname__}")


def made(of: type[BaseException]) -> BaseException:
    """An exception with a value for everything that it must be given."""
    if not inspect.isfunction(of.__init__):
        return of("text")
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, each in inspect.signature(of).parameters.items():
        if each.default is not each.empty:
            continue
        example = EXAMPLES[getattr(each.annotation, "__name__", each.annotation)]
        if each.kind is each.KEYWORD_ONLY:
            named[name] = example
        else:
            given.append(example)
    return of(*given, **named)


@pytest.mark.parametrize("of", classes(), ids=lambda of: of.__qualname__)
def test_an_exception_survives_the_way_to_another_process(of: type[BaseException]) -> None:
    sent = made(of)
    came = pickle.loads(pickle.dumps(sent))
    assert (type(came), str(came), came.args) == (of, str(sent), sent.args)
    assert repr(vars(came)) == repr(vars(sent))
