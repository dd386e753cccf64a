"""Bulk's CSV: what goes out, and whose a result is."""

import csv
import io
from datetime import UTC, date, datetime
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.bulk_csv import Attribution, JobKind, reader, row_error, uploads_of
from crm_pipeline.salesforce.outcomes import Write

INSERT = JobKind("Lead", "insert")
UPDATE = JobKind("Lead", "update")


def _writes(*fields: dict[str, Any]) -> list[Write]:
    return [
        Write(ref, "Lead", "create", each, salesforce_id=f"00Q{ref:012d}AAA")
        for ref, each in enumerate(fields)
    ]


def _uploaded(kind: JobKind, *fields: dict[str, Any]) -> list[list[str]]:
    [upload] = uploads_of(kind, _writes(*fields))
    upload.file.seek(0)
    return list(csv.reader(io.StringIO(upload.file.read().decode(), newline="")))


def test_columns_are_the_union_of_fields_in_order_of_appearance():
    assert _uploaded(INSERT, {"LastName": "a"}, {"City": "b", "LastName": "c"}) == [
        ["LastName", "City"],
        ["a", ""],
        ["c", "b"],
    ]


def test_an_update_ignores_what_is_missing_and_clears_what_is_none():
    assert _uploaded(UPDATE, {"City": "b"}, {"City": None, "Title": ""}) == [
        ["Id", "City", "Title"],
        ["00Q000000000000AAA", "b", ""],
        ["00Q000000000001AAA", "#N/A", "#N/A"],
    ]


def test_a_create_has_nothing_to_clear():
    assert _uploaded(INSERT, {"City": None, "LastName": "a"})[1] == ["", "a"]


def test_values_are_written_as_salesforce_reads_them():
    values = {
        "A": True,
        "B": False,
        "C": 1.5,
        "D": 7,
        "E": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "F": date(2026, 1, 2),
        "G": 'say "hi", twice',
        "H": "one\r\ntwo\rthree",
        "I": " ü ",
    }

    assert _uploaded(INSERT, values)[1] == [
        "true",
        "false",
        "1.5",
        "7",
        "2026-01-02T03:00:00.000Z",
        "2026-01-02",
        'say "hi", twice',
        "one\ntwo\nthree",
        " ü ",
    ]


def test_uploads_stay_under_the_limit_and_hold_every_write_once():
    writes = _writes(*({"LastName": "x" * 50, "Key": str(n)} for n in range(3_000)))

    uploads = list(uploads_of(INSERT, writes, limit=30_000))

    assert len(uploads) > 5
    assert [write for upload in uploads for write in upload.writes] == writes
    for upload in uploads:
        upload.file.seek(0)
        content = upload.file.read()
        assert len(content) == upload.size <= 30_000
        assert content.startswith(b"LastName,Key\n")


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Name]",
            ("Name",),
        ),
        (
            "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record: 003:--",
            "UNABLE_TO_LOCK_ROW",
            "unable to obtain exclusive access to this record: 003",
            (),
        ),
        ("A:b:C D --", "A", "b", ("C", "D")),
        ("INVALID: no such thing", "INVALID", " no such thing", ()),
        ("SHORT", "SHORT", "", ()),
        ("", "", "", ()),
    ],
)
def test_a_rows_error_is_read(text, code, message, fields):
    assert row_error(text) == (code, message, fields)


def test_lines_and_letters_within_values_stay_whole():
    """simple-salesforce splits results at newlines, and reads `MÃ¼ller`."""
    with TemporaryFile() as file:
        file.write('"sf__Id","Name"\n"001","Müller\nund Söhne"\n'.encode())
        file.seek(0)

        assert list(reader(file)) == [["sf__Id", "Name"], ["001", "Müller\nund Söhne"]]
        assert not file.closed


def test_a_create_is_known_by_its_content_among_the_echoed_columns():
    [upload] = uploads_of(
        INSERT,
        _writes(
            {"LastName": "a", "Note": "1"},
            {"LastName": "b", "Note": "2"},
            {"LastName": "a", "Note": "3"},
        ),
    )
    all_columns = Attribution(upload, ["sf__Id", "sf__Created", "LastName", "Note"])
    fewer = Attribution(upload, ["sf__Id", "sf__Created", "LastName"])

    third = all_columns.take(["00Q", "true", "a", "3"])
    assert third is upload.writes[2]
    assert all_columns.take(["00Q", "true", "a", "3"]) is None
    assert [fewer.take(["00Q", "true", "a"]), fewer.take(["00Q", "true", "a"])] == [
        upload.writes[0],
        upload.writes[2],
    ]
    assert fewer.take(["00Q", "true", "a"]) is None


def test_an_update_is_known_by_its_id_of_either_length_echoed_or_not():
    [upload] = uploads_of(UPDATE, _writes({"City": "x"}, {"City": "x"}))

    echoed = Attribution(upload, ["sf__Id", "sf__Error", "Id", "City"])
    assert echoed.take(["", "E", "00Q000000000001", "x"]) is upload.writes[1]
    bare = Attribution(upload, ["sf__Id", "sf__Created", "City"])
    assert bare.take(["00Q000000000001AAA", "false", "x"]) is upload.writes[1]


def test_an_upsert_is_known_by_its_external_id():
    kind = JobKind("Lead", "upsert", "Key__c")
    [upload] = uploads_of(kind, _writes({"Key__c": "k1", "City": "x"}, {"Key__c": "k2"}))

    attribution = Attribution(upload, ["sf__Id", "sf__Created", "City", "Key__c"])

    assert attribution.take(["00Q9", "true", "", "k2"]) is upload.writes[1]


_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=40), st.randoms())
def test_results_in_any_order_find_their_writes_or_ones_like_them(contents, random):
    [upload] = uploads_of(INSERT, _writes(*({"A": a, "B": b} for a, b in contents)))
    rows = [["00Q", "true", write.fields["A"], write.fields["B"]] for write in upload.writes]
    random.shuffle(rows)

    attribution = Attribution(upload, ["sf__Id", "sf__Created", "A", "B"])
    taken = [attribution.take(row) for row in rows]

    assert {write.ref for write in taken if write} == set(range(len(contents)))
    for row, write in zip(rows, taken, strict=True):
        assert write is not None
        assert [write.fields["A"], write.fields["B"]] == row[2:]
