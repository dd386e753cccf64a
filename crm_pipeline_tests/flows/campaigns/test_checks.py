"""Each check of campaigns notices what it is there for."""

from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.campaigns import note_members


def passed(connection: Connection, check: str) -> bool:
    row = connection.execute(
        statement(f"checks/{check}"), {"account_ids": ["acme"], "freshness_minutes": 60}
    ).one()
    assert row.account_id == "acme"
    return bool(row.passed)


def acme(connection: Connection) -> None:
    url = "https://acme.my.salesforce.com"
    add_account(connection, Account("acme", "c", "Acme", url, True, AccountSettings()))


def test_an_event_without_its_campaign_is_noticed(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        acme(connection)
        assert passed(connection, "every_event_has_its_campaign")
        connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state) VALUES ('acme', 'campaigns', 'campaign',"
                " 'campaign:7', 1, now(), '', '{}', 'failed')"
            )
        )
        assert not passed(connection, "every_event_has_its_campaign")


def a_member(connection: Connection, key: int, member_id: str) -> None:
    """Notes a membership of the one record that stands for all people here."""
    values = {"key": key, "member": member_id}
    connection.execute(
        text(
            "INSERT INTO crm.identity"
            " (account_id, person_key, sobject, salesforce_id, reason, sent, as_of)"
            " VALUES ('acme', :key, 'Lead', '00Q', '', '{}', now()) ON CONFLICT DO NOTHING"
        ),
        values,
    )
    operation_id: int = connection.execute(
        text(
            "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, person_key,"
            " as_of, content_hash, intent, state, salesforce_id) VALUES ('acme', 'campaigns',"
            " 'member', 'member:7:' || CAST(:key AS text) || :member, 1, :key, now(), '',"
            " '{\"event_id\": 7}', 'done', :member) RETURNING operation_id"
        ),
        values,
    ).scalar_one()
    note_members(connection, [operation_id])


def test_two_memberships_of_one_record_are_noticed_until_they_are_one(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        acme(connection)
        connection.execute(
            text(
                "INSERT INTO crm.event_campaign (account_id, campaign_key, campaign_id)"
                " VALUES ('acme', '7', '701')"
            )
        )
        a_member(connection, 1, "00v1")
        a_member(connection, 2, "00v1")
        assert passed(connection, "nobody_is_a_member_twice")
        a_member(connection, 3, "00v2")
        assert not passed(connection, "nobody_is_a_member_twice")
        a_member(connection, 3, "00v1")
        assert passed(connection, "nobody_is_a_member_twice")
