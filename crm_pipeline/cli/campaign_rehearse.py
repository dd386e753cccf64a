"""`crm-pipeline campaign rehearse`: an event sent to a local org that looks like the client's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.campaign_look import campaigns_on
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.accounts.store import FieldMapping
    from crm_pipeline.salesforce.connection import Org
    from crm_pipeline.salesforce.describe import SObjectSchema
    from crm_pipeline.sources.events import Event
    from crm_pipeline.sources.participations import Participation

_USER = {"username": "rehearsal@local.test", "password": "rehearsal", "security_token": "T"}
_SENT = ("Lead", "Event", "Campaign", "CampaignMember")
_KINDS = ("string", "textarea", "picklist", "double", "int", "currency", "percent", "boolean")
_DATES = ("date", "datetime", "email", "phone", "url")
_MOST_ROWS = 2_000


def rehearse(
    account_id: AccountId,
    event_id: Annotated[int, typer.Argument(metavar="EVENT", help="The warehouse's id of it.")],
) -> None:
    """Send an event to a local org made from the client's describe, and list what it refuses.

    The client's org is not spoken to: what it looks like was seen by the last cycle, or by
    `account test-login`. Nothing is written to the ledger. Rules of the org that no describe tells
    (validation, duplicates) are not tried.
    """
    from crm_pipeline.accounts.store import field_mappings, filter_strings
    from crm_pipeline.salesforce.credentials import PasswordToken
    from crm_pipeline.salesforce.login import log_in

    try:
        from crm_pipeline.local_org.server import LocalOrgServer
    except ImportError:
        mistake("The local org is not installed: `pip install 'crm-pipeline[local-org]'`.")
    with transaction() as connection:
        account = campaigns_on(connection, account_id)
        mappings = field_mappings(connection, account_id)
        filters = filter_strings(connection, account_id)
        schemas = _schemas(connection, account_id)
    missing = [each for each in _SENT if each not in schemas]
    if missing:
        mistake(
            f"It was not seen within a day what {', '.join(missing)} of the org look like: "
            f"`crm-pipeline account test-login {account_id}` looks."
        )
    event, rows = _rows(account, event_id)
    payloads = list(_payloads(account, mappings, filters, event, rows))
    org = {"name": "rehearsal", "users": [_USER], "objects": _objects(schemas)}
    with LocalOrgServer(org) as server:
        connected = log_in(
            server.url_of("rehearsal"),
            PasswordToken(**_USER),
            api_version=account.settings.api_version,
        )
        refused, changed = _send(connected, schemas, payloads)
    _say(event_id, payloads, refused, changed)


def _schemas(connection: Any, account_id: str) -> "dict[str, SObjectSchema]":
    from crm_pipeline.database.statements import statement
    from crm_pipeline.salesforce.describe import SObjectSchema

    rows = connection.execute(statement("ledger/known_schemas"), {"account_id": account_id})
    return {row.sobject: SObjectSchema.from_json(row.schema) for row in rows}


def _objects(schemas: "Mapping[str, SObjectSchema]") -> dict[str, Any]:
    """The client's own fields, as a local org is told of them."""
    objects: dict[str, Any] = {}
    for sobject in _SENT:
        fields = {}
        for name, field in schemas[sobject].fields.items():
            if not name.endswith("__c") or field.type not in (*_KINDS, *_DATES):
                continue
            fields[name] = {
                "type": field.type,
                **({"length": field.length} if field.length and field.type == "string" else {}),
                **({"scale": 0} if field.type in ("double", "currency", "percent") else {}),
                **({"required": True} if field.required else {}),
                **(
                    {"values": [each.value for each in field.values], "restricted": True}
                    if field.restricted and field.values
                    else {}
                ),
            }
        objects["Activity" if sobject == "Event" else sobject] = {"fields": fields}
    return objects


def _rows(account: "Account", event_id: int) -> "tuple[Event, list[Participation]]":
    """The event and its rows, at most 2,000 of each kind, as a cycle would read them."""
    from crm_pipeline.database.engines import engine
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.account_rows import account_rows
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import events
    from crm_pipeline.sources.participations import EXTRACTS

    warehouse = engine("warehouse")
    rows: list[Participation] = []
    with pipeline().connect() as connection:
        try:
            zone = settings().warehouse_timezone
            found = events(warehouse, account.client_id, [event_id], zone)
            if not found:
                mistake(f"The warehouse has no event {event_id} of this client.")
            all_rows = account_rows(connection, warehouse, account, backfilled=[])
            sessions = list(found[0].sessions)
            part = replace(all_rows.selection, sessions=sessions, chunk_rows=_MOST_ROWS)
            of_event = replace(all_rows, selection=part)
            for extract in EXTRACTS:
                rows += next(iter(of_event.chunks(extract, None, None))).rows
        except ExtractError as error:
            mistake(f"{error}.")
        finally:
            connection.rollback()
    return found[0], rows


def _payloads(
    account: "Account",
    mappings: "Sequence[FieldMapping]",
    filters: Sequence[str],
    event: "Event",
    rows: "Sequence[Participation]",
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Object and fields of each record that the event would become, each person once."""
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.flows.campaigns.rules import (
        Choices,
        campaign_map,
        member_map,
    )
    from crm_pipeline.flows.campaigns.wanted import campaign_intent
    from crm_pipeline.flows.webinars import rules
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.people import who

    zone = settings().warehouse_timezone
    chosen = rules.choices(account.settings, mappings, filters, zone)
    refused = rules.refusals(rows, chosen)
    sent = [row for place, row in enumerate(rows) if place not in refused]
    number: dict[Any, int] = {}
    for row in sent:
        number.setdefault(who(row), len(number) + 1)
    missing = {
        "LastName": account.settings.missing_last_name,
        "Company": account.settings.missing_company,
    }
    of_event = Choices(
        account.settings.campaigns or CampaignSettings(),
        member_map(mappings, zone),
        {},
        campaigns=campaign_map(mappings, zone),
    )
    yield "Campaign", dict(campaign_intent(event, of_event, datetime.now(UTC)).fields["campaign"])
    for intent in rules.intents(rows, chosen, number, refused):
        if intent.rejected_because is None and intent.kind == "person":
            yield "Lead", missing | dict(intent.fields["Lead"])
        elif intent.rejected_because is None:
            yield "Event", dict(intent.fields)
    for row in {who(row): row for row in sent}.values():
        yield "CampaignMember", of_event.members.apply(row.columns)


def _send(
    org: "Org",
    schemas: "Mapping[str, SObjectSchema]",
    payloads: Sequence[tuple[str, dict[str, Any]]],
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Sends all, and counts refusals by object and reason, and values changed to fit."""
    from crm_pipeline.salesforce.composite import Subrequest, composite
    from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS

    refused: Counter[tuple[str, str]] = Counter()
    changed: Counter[tuple[str, str]] = Counter()
    leads: list[str] = []
    campaign: str | None = None
    of_object = [
        [each for each in payloads if each[0] == sobject]
        for sobject in ("Campaign", "Lead", "Event", "CampaignMember")
    ]
    parts = [
        some[start : start + COMPOSITE_SUBREQUESTS]
        for some in of_object
        for start in range(0, len(some), COMPOSITE_SUBREQUESTS)
    ]
    members = 0
    for part in parts:
        requests = []
        for place, (sobject, fields) in enumerate(part):
            fitted = schemas[sobject].fit(fields, "create")
            changed.update((f"{sobject}.{c.field}", c.why) for c in fitted.changes)
            body = dict(fitted.fields)
            if sobject == "CampaignMember":
                lead = leads[members] if members < len(leads) else None
                members += 1
                if lead is None:
                    continue
                body |= {"CampaignId": campaign, "LeadId": lead}
            requests.append(Subrequest(f"r{place}", "POST", f"sobjects/{sobject}", body, "create"))
        answers = composite(org, requests, writes=True) if requests else []
        for (sobject, _), answer in zip(part, answers, strict=False):
            if answer.error is not None:
                refused[sobject, ": ".join(answer.error)] += 1
            elif sobject == "Lead":
                leads.append(answer.body["id"])
            elif sobject == "Campaign":
                campaign = answer.body["id"]
    return refused, changed


def _say(
    event_id: int,
    payloads: Sequence[tuple[str, dict[str, Any]]],
    refused: Counter[tuple[str, str]],
    changed: Counter[tuple[str, str]],
) -> None:
    numbers = Counter(sobject for sobject, _ in payloads)
    print_table(
        "Refused",
        ("object", "why", "records"),
        [(sobject, why, number) for (sobject, why), number in sorted(refused.items())],
        empty="Nothing would be refused.",
    )
    if changed:
        print_table(
            "Values changed to fit, or left out",
            ("field", "why", "records"),
            [(field, why, number) for (field, why), number in sorted(changed.items())],
            empty="",
        )
    sent = ", ".join(f"{number} {sobject}" for sobject, number in sorted(numbers.items()))
    say(
        f"Event {event_id} was sent to a local org that looks like the client's: {sent}; "
        f"{counted(sum(refused.values()), 'record')} refused."
    )
