"""What each check of campaigns notices."""

from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.database.statements import statement


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


def test_two_memberships_of_one_record_are_noticed(pipeline: Engine) -> None:
    member = text(
        "INSERT INTO crm.campaign_member (account_id, event_id, person_key, campaign_id, person_id,"
        " member_id) VALUES ('acme', 7, :key, '701', '00Q', :member)"
    )
    with pipeline.connect() as connection:
        acme(connection)
        connection.execute(member, {"key": "a@example.com", "member": "00v1"})
        connection.execute(member, {"key": "b@example.com", "member": "00v1"})
        assert passed(connection, "nobody_is_a_member_twice")
        connection.execute(member, {"key": "c@example.com", "member": "00v2"})
        assert not passed(connection, "nobody_is_a_member_twice")
