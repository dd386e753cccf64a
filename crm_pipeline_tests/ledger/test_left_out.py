"""Operations that an older release left out in other ways are left out as today."""

from sqlalchemy import Connection, text

from crm_pipeline.database.statements import SQL
from crm_pipeline_tests.ledger.conftest import ACCOUNT

STRANGER = "not in the org, and the account creates nobody"
GIVEN_UP = "its person was dropped by an operator"

OLD = [
    ("person:1", "person", 1, "dropped", STRANGER),
    ("registration:1", "activity", 1, "dropped", STRANGER),
    ("person:2", "person", 1, "dropped", "by Ann"),
    ("attendance:2", "activity", 1, "rejected", GIVEN_UP),
    ("attendance:2", "activity", 2, "rejected", GIVEN_UP),
    ("attendance:3", "activity", 1, "rejected", "filtered"),
]


def test_what_was_left_out_before_is_left_out_with_a_code(ledger: Connection) -> None:
    file = (SQL / "crm" / "0041_left_out.sql").read_text(encoding="utf-8")
    for undo in (
        "ALTER TABLE crm.operation DROP COLUMN reason_code",
        "DROP INDEX crm.operation_out, crm.operation_out_person",
        "CREATE INDEX operation_dropped ON crm.operation (account_id) WHERE state = 'dropped'",
        "CREATE INDEX operation_dropped_person ON crm.operation (person_key) WHERE gone",
    ):
        ledger.execute(text(undo))
    for key, kind, version, state, reason in OLD:
        ledger.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state, reason) VALUES (:account, 'webinars', :kind, :key,"
                " :version, now(), '', '{}', :state, :reason)"
            ),
            {
                "account": ACCOUNT,
                "kind": kind,
                "key": key,
                "version": version,
                "state": state,
                "reason": reason,
            },
        )

    ledger.execute(text(file))

    found = ledger.execute(
        text(
            "SELECT natural_key, version, state, reason_code FROM crm.operation"
            " ORDER BY operation_id"
        )
    )
    assert [tuple(row) for row in found] == [
        ("person:1", 1, "left_out", "UNKNOWN_PERSON"),
        ("registration:1", 1, "left_out", "REFERENCE_LEFT_OUT"),
        ("person:2", 1, "dropped", None),
        ("attendance:2", 1, "superseded", None),
        ("attendance:2", 2, "left_out", "PERSON_DROPPED"),
        ("attendance:3", 1, "rejected", None),
    ]
