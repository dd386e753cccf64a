"""The admin path, `/_admin/...` of the first org and `/<org>/_admin/...`; never `/services`.

All bodies are JSON. `GET` orgs (of the process), stats, log, records/<object>, faults, settings;
`POST` seed, reset, stats/reset, snapshot, restore, convert, merge, faults, settings and
sessions/expire; `DELETE` faults.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from crm_pipeline.local_org.config import Fault, OrgConfigError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.logins import LOGINS
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.routing import Answer
from crm_pipeline.local_org.seeding import Snapshot, restore, seed, snapshot
from crm_pipeline.local_org.setup import build_org
from crm_pipeline.local_org.store import Org

Orgs = MutableMapping[str, Org]

_SNAPSHOTS: PerOrg[dict[str, Snapshot]] = PerOrg(dict)
_MAX_PAGE = 500


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Settings(_Body):
    """What can be changed while the org runs; what is left out stays."""

    latency_ms: float | None = Field(default=None, ge=0)
    lock_parents: bool | None = None
    maintenance: Literal["none", "down", "read_only"] | None = None
    daily_api_requests: int | None = Field(default=None, ge=0)
    daily_api_requests_used: int | None = Field(default=None, ge=0)
    concurrent_long_requests: int | None = Field(default=None, ge=0)
    long_request_seconds: float | None = Field(default=None, ge=0)
    query_batch_size: int | None = Field(default=None, ge=1, le=2_000)
    bulk_seconds: float | None = Field(default=None, ge=0)
    clock_shift_seconds: float | None = None
    hidden_fields: list[str] | None = None


class _Conversion(_Body):
    lead_id: str
    account_id: str | None = None
    contact_id: str | None = None
    opportunity_name: str | None = None


class _Merge(_Body):
    object: str
    master_id: str
    ids: list[str]


class _Named(_Body):
    name: str = "default"


_RECORDS = TypeAdapter(dict[str, list[dict[str, Any]]])
_FAULTS = TypeAdapter(list[Fault])


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A request that is not under `/services`; `path` comes without the org's name."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes


def respond(orgs: Orgs, org: Org | None, call: AdminCall) -> Answer:
    """Answers a request of the admin path or of the page for people; `org` is by its path."""
    if call.method == "GET" and call.path in ("/", "/_admin", "/_admin/"):
        return Answer(body=_page(), media_type="text/html; charset=UTF-8")
    try:
        return Answer(body=_act(orgs, org or next(iter(orgs.values())), call))
    except SalesforceError as error:
        return Answer(status=error.http_status, body={"error": str(error)})
    except LookupError as error:
        return Answer(status=404, body={"error": f"not found: {error.args[0]}"})
    except (ValueError, OrgConfigError) as error:
        return Answer(status=400, body={"error": str(error)})


@cache
def _page() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def _act(orgs: Orgs, org: Org, call: AdminCall) -> Any:
    prefix, _, action = call.path.rstrip("/").partition("/_admin/")
    if prefix:
        raise LookupError(call.path)
    if call.method == "GET":
        return _look(orgs, org, action, call.query)
    if call.method == "POST":
        return _reset(orgs, org) if action == "reset" else _WRITERS[action](org, call.body or b"{}")
    if (call.method, action) != ("DELETE", "faults"):
        raise LookupError(f"{call.method} {action}")
    org.weather.faults.clear()
    return _faults(org)


def _look(orgs: Orgs, org: Org, action: str, query: Mapping[str, str]) -> Any:
    match action.split("/", 1):
        case ["orgs"]:
            return [_overview(each) for each in orgs.values()]
        case ["records", sobject]:
            return _records(org, sobject, query)
        case ["log"]:
            return _log(org, query)
        case _:
            return _READERS[action](org)


def _overview(org: Org) -> dict[str, Any]:
    return {
        "name": org.name,
        "id": org.id,
        "company": org.config.company or org.name,
        "objects": {
            table.type.name: len(table.rows) - table.deleted for table in org.tables.values()
        },
        "api_requests": org.meter.charged,
    }


def _stats(org: Org) -> dict[str, Any]:
    rows: dict[str, dict[str, int]] = {}
    for (sobject, operation), count in org.rows_written.items():
        rows.setdefault(sobject, {})[operation] = count
    return {
        "api_requests": org.meter.charged,
        "calls": dict(org.meter.calls),
        "rows_written": rows,
        "refused_logins": dict(LOGINS[org].refused),
    }


def _log(org: Org, query: Mapping[str, str]) -> list[dict[str, Any]]:
    entries = list(org.meter.log)
    return entries[-int(query.get("limit", len(entries))) :] if entries else []


def _records(org: Org, sobject: str, query: Mapping[str, str]) -> dict[str, Any]:
    table = org.table(sobject)
    limit = min(int(query.get("limit", "50")), _MAX_PAGE)
    offset = int(query.get("offset", "0"))
    rows = (row for row in reversed(table.rows.values()) if not row["IsDeleted"])
    shown = list(islice(rows, offset, offset + limit))
    return {"total": len(table.rows) - table.deleted, "records": shown}


def _faults(org: Org) -> list[dict[str, Any]]:
    return [
        {**each.fault.model_dump(exclude_none=True), "seen": each.seen, "fired": each.fired}
        for each in org.weather.faults
    ]


def _settings(org: Org) -> dict[str, Any]:
    limits = org.config.limits
    return {
        "latency_ms": org.weather.latency_seconds * 1000,
        "lock_parents": org.weather.lock_parents,
        "maintenance": org.weather.maintenance,
        "daily_api_requests_used": org.meter.used(org.now()),
        "clock_shift_seconds": org.clock_shift.total_seconds(),
        "hidden_fields": org.config.hidden_fields,
        **limits.model_dump(
            include={
                "daily_api_requests",
                "concurrent_long_requests",
                "long_request_seconds",
                "query_batch_size",
                "bulk_seconds",
            }
        ),
    }


def _set(org: Org, body: bytes) -> dict[str, Any]:
    given = _Settings.model_validate_json(body).model_dump(exclude_none=True)
    if "hidden_fields" in given:
        org.hide_fields(given.pop("hidden_fields"))
    if "clock_shift_seconds" in given:
        org.clock_shift = timedelta(seconds=given.pop("clock_shift_seconds"))
    if "latency_ms" in given:
        org.weather.latency_seconds = given.pop("latency_ms") / 1000
    if "daily_api_requests_used" in given:
        org.meter.set_used(org.now(), given.pop("daily_api_requests_used"))
    for name, value in given.items():
        setattr(org.weather if hasattr(org.weather, name) else org.config.limits, name, value)
    return _settings(org)


def _add_faults(org: Org, body: bytes) -> list[dict[str, Any]]:
    given = orjson.loads(body)
    for fault in _FAULTS.validate_python(given if isinstance(given, list) else [given]):
        org.weather.add(fault)
    return _faults(org)


def _seed(org: Org, body: bytes) -> dict[str, list[str]]:
    return seed(org, _RECORDS.validate_json(body))


def _reset(orgs: Orgs, org: Org) -> dict[str, Any]:
    """Builds the org anew, as its file describes it; logins stay valid."""
    if org.journal is not None:
        org.journal.close()
        org.journal.path.unlink(missing_ok=True)
        org.journal = None
    fresh = build_org(org.blueprint)
    fresh.sessions = org.sessions
    orgs[org.name] = fresh
    return _overview(fresh)


def _reset_stats(org: Org, _body: bytes) -> dict[str, Any]:
    org.meter.calls.clear()
    org.meter.charged = 0
    org.rows_written.clear()
    LOGINS[org].refused.clear()
    org.meter.log.clear()
    return _stats(org)


def _take_snapshot(org: Org, body: bytes) -> dict[str, Any]:
    _SNAPSHOTS[org][_Named.model_validate_json(body).name] = snapshot(org)
    return {"snapshots": list(_SNAPSHOTS[org])}


def _restore(org: Org, body: bytes) -> dict[str, Any]:
    restore(org, _SNAPSHOTS[org][_Named.model_validate_json(body).name])
    return _overview(org)


def _convert(org: Org, body: bytes) -> dict[str, Any]:
    given = _Conversion.model_validate_json(body)
    converted = convert(org, **given.model_dump())
    return {
        "account_id": converted.account_id,
        "contact_id": converted.contact_id,
        "opportunity_id": converted.opportunity_id,
    }


def _merge(org: Org, body: bytes) -> dict[str, Any]:
    given = _Merge.model_validate_json(body)
    return {"id": merge(org, given.object, given.master_id, given.ids)}


def _expire_sessions(org: Org, _body: bytes) -> dict[str, Any]:
    expired = len(org.sessions)
    org.sessions.clear()
    return {"expired": expired}


_READERS: dict[str, Callable[[Org], Any]] = {
    "stats": _stats,
    "faults": _faults,
    "settings": _settings,
}
_WRITERS: dict[str, Callable[[Org, bytes], Any]] = {
    "seed": _seed,
    "stats/reset": _reset_stats,
    "snapshot": _take_snapshot,
    "restore": _restore,
    "convert": _convert,
    "merge": _merge,
    "faults": _add_faults,
    "settings": _set,
    "sessions/expire": _expire_sessions,
}
