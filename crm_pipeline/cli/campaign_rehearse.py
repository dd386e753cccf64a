"""`crm-pipeline campaign rehearse`: an event sent to a local org that looks like the client's."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_pipeline.cli.arguments import AccountId, EventId
from crm_pipeline.cli.campaign_look import campaigns_on
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.extras import need_local_org
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.flows.campaigns.rules import Choices
    from crm_pipeline.ledger.intents import Intent
    from crm_pipeline.ledger.people import Who
    from crm_pipeline.local_org.store import Org as LocalOrg
    from crm_pipeline.salesforce.composite import SubAnswer, Subrequest
    from crm_pipeline.salesforce.connection import Org
    from crm_pipeline.salesforce.describe import SObjectSchema
    from crm_pipeline.sources.account_rows import AccountRows
    from crm_pipeline.sources.participations import Participation

_USER = {"username": "rehearsal@local.test", "password": "rehearsal", "security_token": "T"}
_SENT = ("Lead", "Event", "Campaign", "CampaignMember")
_KINDS = ("string", "textarea", "picklist", "double", "int", "currency", "percent", "boolean")
_DATES = ("date", "datetime", "email", "phone", "url")
_MOST_ROWS = 2_000


class _Record(NamedTuple):
    """A record of the event: of whom, and in the campaign about what."""

    sobject: str
    fields: Mapping[str, Any]
    person: int | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Play:
    """What an event would become: its campaigns, parents first, its records, what is left out."""

    campaigns: "Sequence[Intent]"
    records: Sequence[_Record]
    left_out: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the org took it: what was sent, refused, or changed to fit, each with its number."""

    sent: Counter[str] = default(default_factory=Counter)
    refused: Counter[tuple[str, str]] = default(default_factory=Counter)
    changed: Counter[tuple[str, str]] = default(default_factory=Counter)

    def fitted(self, schema: "SObjectSchema", fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields as the org takes them; notes what that changed."""
        fit = schema.fit(fields, "create")
        self.changed.update((f"{schema.name}.{each.field}", each.why) for each in fit.changes)
        return dict(fit.fields)

    def note(self, request: "Subrequest", answer: "SubAnswer") -> None:
        """Notes how a creation ended."""
        sobject = request.path.split("/")[1]
        self.sent[sobject] += 1
        if answer.error is not None:
            self.refused[sobject, ": ".join(answer.error)] += 1


def rehearse(
    account_id: AccountId,
    event_id: EventId,
) -> None:
    """Send an event to a local org made from the client's describe, and list what it refuses.

    With the campaigns of its sessions and its series, where the account has these. The client's org
    is not spoken to: what it looks like was seen by the last cycle, or by `account test-login`.
    Nothing is written to the ledger. Rules of the org that no describe tells (validation,
    duplicates) are not tried.
    """
    from crm_pipeline.salesforce.credentials import PasswordToken
    from crm_pipeline.salesforce.login import log_in

    need_local_org()
    from crm_pipeline.local_org.server import LocalOrgServer

    with transaction() as connection:
        account = campaigns_on(connection, account_id)
        schemas = _schemas(connection, account_id)
    missing = [each for each in _SENT if each not in schemas]
    if missing:
        mistake(
            f"It was not seen within a day what {', '.join(missing)} of the org look like: "
            f"`crm-pipeline account test-login {account_id}` looks."
        )
    play = _play(account, event_id)
    org = {"name": "rehearsal", "users": [_USER], "objects": _objects(schemas)}
    outcome = _Outcome()
    with LocalOrgServer(org) as server:
        connected = log_in(
            server.url_of("rehearsal"),
            PasswordToken(**_USER),
            api_version=account.settings.api_version,
        )
        campaigns = _send_campaigns(
            connected, server.org("rehearsal"), schemas["Campaign"], play.campaigns, outcome
        )
        without = _send(connected, schemas, play.records, campaigns, outcome)
    _say(event_id, play, outcome, without)


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


def _play(account: "Account", event_id: int) -> _Play:
    """What the event would become in a cycle, of at most 2,000 rows of each kind."""
    from crm_pipeline.accounts.campaigns import CampaignSettings
    from crm_pipeline.database.engines import engine
    from crm_pipeline.flows.campaigns import rules
    from crm_pipeline.flows.campaigns.reading import choices_of
    from crm_pipeline.flows.campaigns.wanted import campaign_intents
    from crm_pipeline.ledger.campaign_keys import of_session
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.account_rows import account_rows
    from crm_pipeline.sources.errors import ExtractError
    from crm_pipeline.sources.events import check_event_columns, events, sessions_of_events
    from crm_pipeline.sources.mapping import rejection
    from crm_pipeline.sources.participations import EXTRACTS, Participation
    from crm_pipeline.sources.people import who

    warehouse, zone = engine("warehouse"), settings().warehouse_timezone
    chosen = account.settings.campaigns or CampaignSettings()
    rows: list[Participation] = []
    with pipeline().connect() as connection:
        try:
            found = events(warehouse, account.client_id, [event_id], zone)
            if not found:
                mistake(f"The warehouse has no event {event_id} of this client.")
            [event] = found
            of_account = account_rows(connection, warehouse, account, backfilled=[])
            check_event_columns(warehouse, of_account.overrides, chosen.series_parent)
            of_event = of_account.of_sessions(event.sessions, _MOST_ROWS)
            for extract in EXTRACTS:
                rows += next(iter(of_event.chunks(extract, None, None))).rows
            choices = choices_of(of_account, chosen)
            sessions = sessions_of_events(warehouse, account.client_id, event.sessions, zone)
        except ExtractError as error:
            mistake(f"{error}.")
        finally:
            connection.rollback()
    people = _people(who(row) for row in rows if rejection(row, of_account.filter_strings) is None)
    with_campaign = [each for each in sessions if choices.has_campaign(of_session(each.session_id))]
    left_out: Counter[tuple[str, str]] = Counter()
    records = list(_of_people(of_account, rows, people, left_out))
    made = {each.person for each in records if each.sobject == "Lead"}
    records += _members(rules.member_intents(rows, choices, people, {}), choices, made, left_out)
    campaigns = campaign_intents(event, with_campaign, choices, datetime.now(UTC))
    return _Play(campaigns, records, left_out)


def _people(there: "Iterable[Who]") -> "dict[Who, int]":
    """A number for each person; whoever has the address or the platform's id of one is they."""
    people: dict[Who, int] = {}
    known: dict[str, int] = {}
    for source_person, address in there:
        marks = [f"address {address}", *([] if source_person is None else [f"id {source_person}"])]
        number = next((known[each] for each in marks if each in known), len(known) + 1)
        known |= dict.fromkeys(marks, number)
        people[source_person, address] = number
    return people


def _of_people(
    of_account: "AccountRows",
    rows: "Sequence[Participation]",
    people: "Mapping[Who, int]",
    left_out: Counter[tuple[str, str]],
) -> Iterator[_Record]:
    """People, each once, and their activities; notes why there are no more."""
    from crm_pipeline.flows.webinars import rules

    settings = of_account.account.settings
    chosen = rules.choices(
        settings,
        of_account.overrides,
        of_account.filter_strings,
        of_account.selection.timezone,
    )
    missing = {"LastName": settings.missing_last_name, "Company": settings.missing_company}
    for intent in rules.intents(rows, chosen, people, rules.refusals(rows, chosen)):
        if intent.rejected_because is not None:
            left_out["Event", intent.rejected_because] += 1
        elif intent.kind == "person":
            yield _Record("Lead", missing | dict(intent.fields["Lead"]), intent.person_key)
        else:
            yield _Record("Event", intent.fields)


def _members(
    members: "Iterable[Intent]",
    choices: "Choices",
    made: Collection[int | None],
    left_out: Counter[tuple[str, str]],
) -> Iterator[_Record]:
    """The memberships; notes why there are no more."""
    from crm_pipeline.flows.campaigns import rules
    from crm_pipeline.ledger.campaign_keys import key_of

    for each in members:
        is_nobody = each.person_key not in made and rules.makes_nobody(each, choices)
        member = rules.refused(each) if is_nobody else each
        if member.rejected_because is not None:
            left_out["CampaignMember", member.rejected_because] += 1
        else:
            fields = {"Status": member.fields["Status"], **member.fields["fields"]}
            yield _Record("CampaignMember", fields, member.person_key, key_of(member.fields))


def _send_campaigns(
    org: "Org",
    local: "LocalOrg",
    schema: "SObjectSchema",
    campaigns: "Sequence[Intent]",
    outcome: _Outcome,
) -> dict[str, str]:
    """Makes the campaigns, each with its statuses, and returns their Ids by what they are about.

    One that people named is in the client's org already: of it nothing is tried.
    """
    from crm_pipeline.delivery.campaigns import missing_statuses, status_creation
    from crm_pipeline.ledger.campaign_keys import key_of
    from crm_pipeline.local_org.seeding import seed
    from crm_pipeline.salesforce.composite import Subrequest, composite

    ids: dict[str, str] = {}
    for wanted in (each.fields for each in campaigns):
        key, statuses = key_of(wanted), missing_statuses(wanted["statuses"], [])
        if wanted["campaign_id"] is not None:
            [ids[key]] = seed(local, {"Campaign": [{"Name": key}]})["Campaign"]
            seed(local, {"CampaignMemberStatus": [{"CampaignId": ids[key]} | s for s in statuses]})
            continue
        body = outcome.fitted(schema, wanted["campaign"])
        if (parent := ids.get(wanted.get("parent", ""))) is not None:
            body["ParentId"] = parent
        if (external := wanted["external_id_field"]) is not None:
            body[external] = key
        requests = [
            Subrequest("c", "POST", "sobjects/Campaign", body, "create"),
            *(
                status_creation(f"s{place}", "@{c.id}", status)
                for place, status in enumerate(statuses)
            ),
        ]
        answers = composite(org, requests, writes=True)
        if answers[0].error is None:
            ids[key] = answers[0].body["id"]
        else:
            # What hangs on it is refused for that reason alone.
            answers = answers[:1]
        for request, answer in zip(requests, answers, strict=False):
            outcome.note(request, answer)
    return ids


def _send(
    org: "Org",
    schemas: "Mapping[str, SObjectSchema]",
    records: Sequence[_Record],
    campaigns: Mapping[str, str],
    outcome: _Outcome,
) -> int:
    """Sends people, activities and members; returns how many members had nothing to be in or of."""
    from crm_pipeline.salesforce.composite import Subrequest, composite
    from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS

    leads: dict[int | None, str] = {}
    without = 0
    for sobject in ("Lead", "Event", "CampaignMember"):
        requests: list[tuple[_Record, Subrequest]] = []
        for each in (each for each in records if each.sobject == sobject):
            body = outcome.fitted(schemas[sobject], each.fields)
            if sobject == "CampaignMember":
                if each.person not in leads or each.about not in campaigns:
                    without += 1
                    continue
                body |= {"CampaignId": campaigns[each.about], "LeadId": leads[each.person]}
            name = f"r{len(requests) % COMPOSITE_SUBREQUESTS}"
            request = Subrequest(name, "POST", f"sobjects/{sobject}", body, "create")
            requests.append((each, request))
        for start in range(0, len(requests), COMPOSITE_SUBREQUESTS):
            part = requests[start : start + COMPOSITE_SUBREQUESTS]
            answers = composite(org, [request for _, request in part], writes=True)
            for (each, request), answer in zip(part, answers, strict=True):
                outcome.note(request, answer)
                if sobject == "Lead" and answer.error is None:
                    leads[each.person] = answer.body["id"]
    return without


def _say(event_id: int, play: _Play, outcome: _Outcome, without: int) -> None:
    for title, what, numbers, empty in (
        ("Refused", "object", outcome.refused, "Nothing would be refused."),
        ("Values changed to fit, or left out", "field", outcome.changed, ""),
        ("Not sent, as the account chose or as rows say too little", "object", play.left_out, ""),
    ):
        if numbers or empty:
            rows = [(name, why, number) for (name, why), number in sorted(numbers.items())]
            print_table(title, (what, "why", "records"), rows, empty=empty)
    sent = ", ".join(f"{number} {sobject}" for sobject, number in sorted(outcome.sent.items()))
    untried = (
        f" {counted(without, 'member')} could not be tried, without a person or a campaign."
        if without
        else ""
    )
    say(
        f"Event {event_id} was sent to a local org that looks like the client's: {sent}; "
        f"{counted(sum(outcome.refused.values()), 'record')} refused.{untried}"
    )
