"""Every setting and a set of nasty values, by composite calls and by bulk jobs: the same org."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import FieldMapping, set_field_mapping, update_settings
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.conftest import account_of
from crm_pipeline_tests.depth import deep_but_first, in_groups
from crm_pipeline_tests.flows.webinars.warehouse import (
    add_person,
    add_sessions,
    answer_poll,
    attend,
    chat,
    register,
)

ROUTES = ("composite", "bulk")

SALES = "sales@acme.test"

CHOICES: dict[str, list[Any]] = {
    "api_version": ["58.0"],
    "parallel_requests": [1],
    "api_day_share": [1.0],
    "api_calls_per_cycle": [20],
    "retry_share": [1.0],
    "degrade_fields": [False],
    "assignment_rules": [True],
    "duplicate_rules": ["allow"],
    "activity_external_id_field": ["Participation__c"],
    "missing_last_name": ["#N/A"],
    "missing_company": ['none, "yet"'],
    "lead_source": ["Talk"],
    "unknown_email": ["Contact", "neither"],
    "match_first": ["contact"],
    "match_fields": [{"Contact": ["Second_Email__c"]}],
    "person_id_field": ["Person_Id__c"],
    "several_matches": ["report"],
    "contact_account": ["by_domain"],
    "person_fields": ["never", "when_empty", "unless_edited"],
    "person_field_policies": [{"LeadSource": "source", "City": "never"}],
    "stage_of": [{"registered": "waitlisted"}],
    "unknown_stage": ["registered"],
    "people_from_stages": [["registered"]],
    "roles": [["attendee", "speaker"]],
    "attended_at_least_minutes": [20],
    "early_visits_count": [True],
    "start_at": ["2026-03-01T12:01:00+00:00"],
    "limits": [{"changed_share": 0, "new_people": 5}],
    "redaction": [["cards", "[Tt]alk"]],
    "activities": ["attendance"],
    "consent_clears_opt_out": [True],
    "on_demand_subject": ["Saw it"],
    "activity_subject": ["{subject}: {event}"],
    "activity_text": [["chats", "minutes"], []],
    "cancelled_activity": ["keep", "delete"],
    "vanished": ["delete"],
    "alias": ["follow"],
    "storage_share": [0.9],
    "read_back_minutes": [60],
    "inbound": [{}],
    "attribution": [{}],
    "engagement": [{}],
    "campaigns": [{}, {"external_id_field": "Event_Key__c", "unknown_status": "report"}],
    "keep_replaced_values": [True],
}
"""Values of each setting that differ from its default."""

EACH = [{name: value} for name, values in CHOICES.items() for value in values]

TOGETHER = [*in_groups(EACH, 8), *in_groups(EACH, 9)]
"""All values in few accounts, each of them among others in two; one value of a setting in each."""

NASTY = (
    "#N/A",
    "@{Ref.id}",
    'quote " and, comma',
    "two\nlines",
    "carriage\rreturn",
    "tab\tand \\ backslash",
    "'; DELETE --",
    "=1+1",
    "null",
    "Zoë 山田 👩‍🚀",
    "\u202eexe.gpj",
    "line\u2028separator",
    "x" * 300,
    "🚀" * 200,
    "  blanks around  ",
    "%00 &amp; <b>",
)

ORG = {
    "users": [
        {"username": "api@acme.test", "password": "secret", "security_token": "TOKEN"},
        {"username": SALES, "password": "secret"},
    ],
    "objects": {
        "Activity": {
            "fields": {"Participation__c": {"type": "string", "length": 80, "external_id": True}}
        },
        "Campaign": {
            "fields": {"Event_Key__c": {"type": "string", "length": 80, "external_id": True}}
        },
        "Contact": {
            "fields": {
                "Second_Email__c": {"type": "email"},
                "Person_Id__c": {"type": "string", "length": 40},
            }
        },
        "Lead": {
            "fields": {
                "Person_Id__c": {"type": "string", "length": 40},
                "Region__c": {"type": "picklist", "restricted": True, "values": ["North"]},
                "Count__c": {"type": "double", "scale": 0},
            }
        },
    },
    "validation_rules": [{"object": "Lead", "when": "Country = 'Atlantis'", "error": "No"}],
    "duplicate_rules": [
        {
            "object": "Lead",
            "match": ["Phone"],
            "against": ["Account", "Lead", "Contact"],
            "action": "alert",
        }
    ],
    "assignment_rules": [{"object": "Lead", "owner": SALES, "when": "Country = 'Germany'"}],
}

SYSTEM = {
    *("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "CreatedById"),
    *("LastModifiedById", "LastActivityDate", "ConvertedDate", "LastViewedDate"),
    *("LastReferencedDate", "FirstRespondedDate", "LastTransferDate", "PhotoUrl"),
}

OBJECTS = ("Lead", "Contact", "Event", "Campaign", "CampaignMember", "CampaignMemberStatus")


class Pair:
    """One client, and two accounts with an org each, that differ in their route only."""

    def __init__(self, connection: Connection, server: LocalOrgServer) -> None:
        self.connection = connection
        self.orgs = {route: server.org(route) for route in ROUTES}

    def choose(self, **chosen: Any) -> None:
        """Sets the same for both."""
        for route in ROUTES:
            update_settings(self.connection, route, {**chosen, "route": route})
        self.connection.commit()

    def seed(self, sobject: str, **fields: Any) -> None:
        """Puts a record into both orgs as if it had always been there."""
        from crm_pipeline.local_org.seeding import seed

        for org in self.orgs.values():
            seed(org, {sobject: [fields]})

    def cycles(self) -> dict[str, list[str]]:
        """Cycles of both until nothing changes any more: the states, as often as they occur."""
        self.connection.commit()
        for route in ROUTES:
            before = None
            for _ in range(12):
                sync_account(route, run_id="test")
                if (states := self.states(route)) == before:
                    break
                before = states
        return {route: self.states(route) for route in ROUTES}

    def states(self, route: str) -> list[str]:
        """The latest state of each operation, with its error."""
        rows = self.connection.execute(
            text(
                "SELECT DISTINCT ON (o.natural_key) CASE WHEN o.kind IN ('person', 'member')"
                " THEN regexp_replace(o.natural_key, '[0-9]+$', p.address)"
                " ELSE o.natural_key END, o.state, o.attempts_left, o.error_code"
                " FROM crm.operation AS o LEFT JOIN crm.person AS p USING (person_key)"
                " WHERE o.account_id = :route ORDER BY o.natural_key, o.version DESC"
            ),
            {"route": route},
        ).all()
        self.connection.rollback()
        return sorted(" ".join(map(str, row)) for row in rows)

    def contents(self, route: str) -> list[str]:
        """The org's records without what is of their making: ids as what they lead to."""
        org = self.orgs[route]
        rows = [
            (sobject, row)
            for sobject in OBJECTS
            for row in org.table(sobject).rows.values()
            if not row["IsDeleted"]
        ]
        labels = {user.id: name for name, user in org.users.items()}
        labels |= {
            row["Id"]: f"{sobject} {row.get('Email') or row.get('Name') or row.get('Subject')}"
            for sobject, row in rows
        }
        return sorted(
            f"{sobject} "
            + orjson.dumps(
                {
                    field: labels.get(value, value) if isinstance(value, str) else value
                    for field, value in row.items()
                    if field not in SYSTEM and value is not None
                },
                option=orjson.OPT_SORT_KEYS,
            ).decode()
            for sobject, row in rows
        )


@pytest.fixture
def pair(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", "0")
    monkeypatch.setenv("RETRY_BACKOFF_SECONDS", "0")
    settings.cache_clear()
    orgs = [{"name": route, **ORG} for route in ROUTES]
    with LocalOrgServer(*orgs) as server, pipeline.connect() as connection:
        for route in ROUTES:
            account_of(connection, server, route)
        add_sessions(connection, 1, 2)
        yield Pair(connection, server)


def story(pair: Pair) -> dict[str, list[str]]:
    """People of all kinds come, change and attend."""
    connection = pair.connection
    pair.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", LeadSource="Trade Show")
    pair.seed("Contact", LastName="Old", Email="p2@example.com", MailingCity="Bonn")
    pair.seed("Lead", LastName="Somebody", Company="y", Phone="555")
    for phone in ("555", "556"):
        pair.seed("Account", Name="A company", Phone=phone)
    nasty = dict(enumerate(NASTY, 10))
    add_person(connection, 1, country_code="Germany", city="Rome", job_title="CTO")
    add_person(connection, 2, country_code="Germany", city="Rome")
    add_person(connection, 3, country_code="Germany", county="South")
    add_person(connection, 4, surname=None, company_name=None, first_name=None)
    add_person(connection, 5, phone_1="555")
    add_person(connection, 6, country_code="Atlantis")
    add_person(connection, 7, email="Ünïcode@exämple.com")
    add_person(connection, 8, phone_1="556")
    for number, value in nasty.items():
        add_person(
            connection,
            number,
            surname=value,
            first_name=value,
            company_name=value,
            job_title=value,
            city=value,
            address_1=value,
            address_2=value,
            phone_1=f"{number} {value}",
        )
    people = [*range(1, 9), *nasty]
    for person in people:
        register(connection, person, person, minute=person)
    pair.cycles()
    for person in people[::2]:
        attend(connection, person, person, minute=100 + person)
        chat(connection, person, person, replies=1, minute=100 + person)
    answer_poll(connection, 1, people[0], minute=150)
    connection.execute(
        text("UPDATE warehouse.chat_message SET message = :value WHERE chat_message_id = 12"),
        {"value": "\n".join(NASTY)},
    )
    connection.execute(
        text(
            "UPDATE warehouse.person SET job_title = surname, city = 'Paris',"
            " shipped_at = :at WHERE person_id <> 6"
        ),
        {"at": "2026-03-01 16:00:00+00"},
    )
    return pair.cycles()


def test_every_setting_has_values_to_try() -> None:
    assert set(CHOICES) | {"route"} == set(AccountSettings.model_fields)


def test_each_value_is_tried_twice_and_no_two_are_together_both_times() -> None:
    with_it = [[chosen for chosen in TOGETHER if each.items() <= chosen.items()] for each in EACH]
    assert all(len(groups) == 2 for groups in with_it)
    for one, other in with_it:
        assert [each for each in one.items() if each in other.items()] in [
            [*e.items()] for e in EACH
        ]


@pytest.mark.parametrize(
    "chosen",
    deep_but_first(5, [{}, *TOGETHER]),
    ids=str,
)
def test_settings_mean_the_same_on_both_routes(pair: Pair, chosen: dict[str, Any]) -> None:
    for route in ROUTES:
        for field, column in (("Region__c", "county"), ("Count__c", "postal_code")):
            mapping = FieldMapping("Lead", field, source=column)
            set_field_mapping(pair.connection, route, mapping)
    pair.choose(**chosen)

    states = story(pair)

    print(
        "\n".join(
            _apart(states["composite"], states["bulk"])
            + _apart(pair.contents("composite"), pair.contents("bulk"))
        )
    )
    assert _apart(states["composite"], states["bulk"]) == []
    assert _apart(pair.contents("composite"), pair.contents("bulk")) == []
    assert any(state.split()[1] == "done" for state in states["bulk"])
    if not chosen:
        of_duplicates = [each for each in states["bulk"] if "DUPLICATES" in each]
        assert of_duplicates == ["person:p8@example.com exhausted 0 DUPLICATES_DETECTED"]
    left = {state.split()[1] for state in states["bulk"]}
    assert left <= {"done", "exhausted", "dropped", "left_out", "pending", "rejected"}


def _apart(composite: list[str], bulk: list[str]) -> list[str]:
    """The entries that only one of the two has."""
    only = [f"only by composite: {each}" for each in composite if each not in bulk]
    return [*only, *(f"only by bulk: {each}" for each in bulk if each not in composite)]
