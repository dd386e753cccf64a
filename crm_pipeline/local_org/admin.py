"""The admin path, `/_admin/...` of the first org and `/<org>/_admin/...`; never `/services`.

All bodies are JSON. `GET` orgs (of the process), stats, log, records/<object>, faults, settings,
events, transactions; `POST` seed, reset, refresh, stats/reset, snapshot, restore, faults, settings,
hidden-records, transactions/end and sessions/expire, and what people.py has; `DELETE` faults.
"""

from collections.abc import MutableMapping
from dataclasses import asdict
from datetime import timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from crm_pipeline.local_org import people
from crm_pipeline.local_org.config import Count, Fault, LimitsConfig, OrgConfigError
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.event_bus import BUS
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.logins import LOGINS
from crm_pipeline.local_org.open_transactions import OPEN, abandon_all, end_all, end_due, told
from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.refresh import refreshed
from crm_pipeline.local_org.routing import Answer, Call, Handler, Route, Router
from crm_pipeline.local_org.seeding import Snapshot, restore, seed, snapshot
from crm_pipeline.local_org.setup import build_org
from crm_pipeline.local_org.sharing import HIDDEN
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.weather import Maintenance

Orgs = MutableMapping[str, Org]

_SNAPSHOTS: PerOrg[dict[str, Snapshot]] = PerOrg(dict)
_MAX_PAGE = 500
_A_CENTURY = 100 * 365 * 24 * 60 * 60


class _Settings(LimitsConfig):
    """Settings that can be changed while the org runs; those left out stay."""

    latency_ms: float = Field(default=0, ge=0, le=60 * 60 * 1000)
    lock_parents: bool = False
    maintenance: Maintenance = "none"
    daily_api_requests_used: Count = 0
    clock_shift_seconds: float = Field(default=0, ge=-_A_CENTURY, le=_A_CENTURY)
    hidden_fields: list[str] = Field(default_factory=list)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Named(_Body):
    name: str = "default"


_IDS = TypeAdapter(list[str])
_RECORDS = TypeAdapter(dict[str, list[dict[str, Any]]])
_FAULTS: TypeAdapter[list[Fault] | Fault] = TypeAdapter(list[Fault] | Fault)


def router(orgs: Orgs) -> Router:
    """The routes of the admin path of all these orgs, and of the page for people."""

    def overviews(_org: Org, _call: Call) -> Answer:
        return Answer(body=[_overview(each) for each in orgs.values()])

    def reset(org: Org, _call: Call) -> Answer:
        """Builds the org anew, as its file describes it; logins stay valid."""
        if org.journal is not None:
            org.journal.erase()
        abandon_all(org)
        orgs[org.name] = fresh = build_org(org.blueprint)
        fresh.sessions = org.sessions
        return Answer(body=_overview(fresh))

    def refresh(org: Org, _call: Call) -> Answer:
        orgs[org.name] = fresh = refreshed(org)
        return Answer(body=_overview(fresh))

    own = {
        ("GET", "orgs"): overviews,
        ("POST", "reset"): _without_arguments(reset),
        ("POST", "refresh"): _without_arguments(refresh),
    }
    actions = [Route(method, f"/_admin/{path}", path, act) for (method, path), act in own.items()]
    return Router([*actions, *ROUTES])


def _without_arguments(act: Handler) -> Handler:
    """The same, but an argument is refused rather than passed over."""

    def checked(org: Org, call: Call) -> Answer:
        if call.query or call.body.strip() not in (b"", b"{}", b"null"):
            raise ValueError(f"{call.path} takes no arguments")
        return act(org, call)

    return checked


def respond(routes: Router, org: Org, call: Call) -> Answer:
    """Answers a request of the admin path or of the page for people."""
    end_due(org)
    try:
        route, call.params = routes.find(call.method, call.path)
        return route.handler(org, call)
    except SalesforceError as error:
        status, text = error.http_status, str(error)
    except LookupError as error:
        status, text = 404, f"not found: {error.args[0]}"
    except (ValueError, OrgConfigError) as error:
        status, text = 400, str(error)
    return Answer(status=status, body={"error": text})


def _page(_org: Org, _call: Call) -> Answer:
    return Answer(body=_html(), media_type="text/html; charset=UTF-8")


@cache
def _html() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


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


def _stats(org: Org, _call: Call) -> Answer:
    rows: dict[str, dict[str, int]] = {}
    for (sobject, operation), count in org.rows_written.items():
        rows.setdefault(sobject, {})[operation] = count
    return Answer(
        body={
            "api_requests": org.meter.charged,
            "calls": dict(org.meter.calls),
            "rows_written": rows,
            "refused_logins": dict(LOGINS[org].refused),
        }
    )


def _reset_stats(org: Org, call: Call) -> Answer:
    org.meter.charged = 0
    for counted in (org.meter.calls, org.meter.log, org.rows_written, LOGINS[org].refused):
        counted.clear()
    return _stats(org, call)


def _log(org: Org, call: Call) -> Answer:
    entries = list(org.meter.log)
    return Answer(body=entries[-int(call.query.get("limit", len(entries))) :] if entries else [])


def _records(org: Org, call: Call) -> Answer:
    table = org.table(call.params["sobject"])
    limit = min(int(call.query.get("limit", "50")), _MAX_PAGE)
    offset = int(call.query.get("offset", "0"))
    rows = (row for row in reversed(table.rows.values()) if not row["IsDeleted"])
    shown = list(islice(rows, offset, offset + limit))
    return Answer(body={"total": len(table.rows) - table.deleted, "records": shown})


def _faults(org: Org, _call: Call) -> Answer:
    return Answer(
        body=[
            {**each.fault.model_dump(exclude_none=True), "seen": each.seen, "fired": each.fired}
            for each in org.weather.faults
        ]
    )


def _add_faults(org: Org, call: Call) -> Answer:
    given = _FAULTS.validate_json(call.body)
    for fault in given if isinstance(given, list) else [given]:
        org.weather.add(fault)
    return _faults(org, call)


def _end_faults(org: Org, call: Call) -> Answer:
    org.weather.clear()
    return _faults(org, call)


def _settings(org: Org, _call: Call) -> Answer:
    return Answer(
        body={
            **org.config.limits.model_dump(),
            "latency_ms": org.weather.latency_seconds * 1000,
            "lock_parents": org.weather.lock_parents,
            "maintenance": org.weather.maintenance,
            "daily_api_requests_used": org.meter.used(org.now()),
            "clock_shift_seconds": org.clock_shift.total_seconds(),
            "hidden_fields": org.config.hidden_fields,
        }
    )


def _set(org: Org, call: Call) -> Answer:
    given = _Settings.model_validate_json(call.body).model_dump(exclude_unset=True)
    for name, value in given.items():
        match name:
            case "hidden_fields":
                org.hide_fields(value)
            case "clock_shift_seconds":
                org.clock_shift = timedelta(seconds=value)
                end_due(org)
            case "latency_ms":
                org.weather.latency_seconds = value / 1000
            case "daily_api_requests_used":
                org.meter.set_used(org.now(), value)
            case "lock_parents" | "maintenance":
                setattr(org.weather, name, value)
            case _:
                setattr(org.config.limits, name, value)
    return _settings(org, call)


def _seed(org: Org, call: Call) -> Answer:
    return Answer(body=seed(org, _RECORDS.validate_json(call.body)))


def _take_snapshot(org: Org, call: Call) -> Answer:
    _SNAPSHOTS[org][_named(call)] = snapshot(org)
    return Answer(body={"snapshots": list(_SNAPSHOTS[org])})


def _restore(org: Org, call: Call) -> Answer:
    restore(org, _SNAPSHOTS[org][_named(call)])
    return Answer(body=_overview(org))


def _named(call: Call) -> str:
    return _Named.model_validate_json(call.body or b"{}").name


def _events(org: Org, call: Call) -> Answer:
    limit = int(call.query.get("limit", str(_MAX_PAGE)))
    published = BUS[org].published
    shown = [asdict(each) for each in published[max(0, len(published) - limit) :]]
    return Answer(body={"total": len(published), "events": shown})


def _transactions(org: Org, _call: Call) -> Answer:
    return Answer(body=[told(each) for each in OPEN[org]])


def _end_transactions(org: Org, _call: Call) -> Answer:
    return Answer(body={"ended": end_all(org)})


def _hide(org: Org, call: Call) -> Answer:
    ids = [long_id(each) or each for each in _IDS.validate_json(call.body)]
    HIDDEN[org].clear()
    HIDDEN[org].update(ids)
    return Answer(body={"hidden": ids})


def _expire_sessions(org: Org, _call: Call) -> Answer:
    expired = len(org.sessions)
    org.sessions.clear()
    return Answer(body={"expired": expired})


ROUTES = (
    Route("GET", "", "page", _page),
    Route("GET", "/_admin", "page", _page),
    Route("GET", "/_admin/stats", "stats", _stats),
    Route("POST", "/_admin/stats/reset", "stats", _without_arguments(_reset_stats)),
    Route("GET", "/_admin/log", "log", _log),
    Route("GET", "/_admin/records/{sobject}", "records", _records),
    Route("GET", "/_admin/faults", "faults", _faults),
    Route("POST", "/_admin/faults", "faults", _add_faults),
    Route("DELETE", "/_admin/faults", "faults", _without_arguments(_end_faults)),
    Route("GET", "/_admin/settings", "settings", _settings),
    Route("POST", "/_admin/settings", "settings", _set),
    Route("POST", "/_admin/seed", "seed", _seed),
    Route("POST", "/_admin/snapshot", "snapshot", _take_snapshot),
    Route("POST", "/_admin/restore", "restore", _restore),
    *people.ROUTES,
    Route("GET", "/_admin/events", "events", _events),
    Route("GET", "/_admin/transactions", "transactions", _transactions),
    Route(
        "POST", "/_admin/transactions/end", "transactions", _without_arguments(_end_transactions)
    ),
    Route("POST", "/_admin/hidden-records", "hidden", _hide),
    Route("POST", "/_admin/sessions/expire", "sessions", _without_arguments(_expire_sessions)),
)
