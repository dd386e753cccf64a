"""Writes are packed into as few collections as they fit."""

from itertools import groupby

import orjson
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.salesforce.outcomes import Action, Write
from crm_pipeline.salesforce.packing import by_parents, collections_of, waves_of


def _write(ref: int, action: Action = "create", sobject: str = "Lead", **more: str) -> Write:
    return Write(
        ref,
        sobject,
        action,
        {"Key__c": str(ref)},
        salesforce_id=f"00Q{ref:012d}" if action in {"update", "delete"} else None,
        external_id_field="Key__c" if action == "upsert" else None,
        group_key=more.get("group"),
    )


def test_a_thousand_creates_make_five_collections():
    packed = list(collections_of([_write(ref) for ref in range(1_000)]))

    assert [len(each.writes) for each in packed] == [200] * 5
    body = orjson.loads(packed[0].body or b"")
    assert body["allOrNone"] is False
    assert body["records"][0] == {"attributes": {"type": "Lead"}, "Key__c": "0"}


def test_each_action_has_its_resource():
    packed = list(
        collections_of([_write(1), _write(2, "update"), _write(3, "upsert"), _write(4, "delete")])
    )

    assert [(each.method, each.path) for each in packed] == [
        ("POST", "composite/sobjects"),
        ("PATCH", "composite/sobjects/Lead/Key__c"),
        ("PATCH", "composite/sobjects"),
        ("DELETE", "composite/sobjects?ids=00Q000000000004&allOrNone=false"),
    ]
    assert orjson.loads(packed[2].body or b"")["records"][0]["id"] == "00Q000000000002"


def test_objects_share_a_collection_of_updates_but_not_one_of_upserts():
    mixed = [_write(ref, "update", f"Object{ref % 3}__c") for ref in range(9)]
    upserts = [_write(ref, "upsert", f"Object{ref % 3}__c") for ref in range(9)]

    assert len(list(collections_of(mixed))) == 1
    assert len(list(collections_of(upserts))) == 3


def test_a_record_that_comes_twice_is_written_twice_one_after_the_other():
    first, second = (
        _write(1, "update"),
        Write(2, "Lead", "update", {}, salesforce_id="00Q000000000001AAA"),
    )

    assert waves_of([first, second, _write(3), _write(3)]) == [
        [first, _write(3), _write(3)],
        [second],
    ]


def test_writes_under_one_parent_stay_together_in_their_order():
    writes = [_write(ref, group=f"parent{ref % 250}") for ref in range(500)]

    [*packed] = collections_of(writes)

    together = [write.group_key for each in packed for write in each.writes]
    assert len(list(groupby(together))) == 250
    refs = [write.ref for each in packed for write in each.writes]
    assert all(later == earlier + 250 for earlier, later in zip(refs[::2], refs[1::2], strict=True))


_WRITES = st.lists(
    st.builds(
        _write,
        st.integers(0, 40),
        st.sampled_from(["create", "update", "upsert", "delete"]),
        st.sampled_from([f"Object{n}__c" for n in range(14)]),
    ),
    max_size=500,
)


@given(_WRITES)
def test_every_write_is_packed_once_within_every_limit(writes):
    packed = [each for wave in waves_of(writes) for each in collections_of(wave)]

    sent = [write for each in packed for write in each.writes]
    assert sorted(map(id, sent)) == sorted(map(id, writes))
    for each in packed:
        assert 1 <= len(each.writes) <= 200
        runs = [sobject for sobject, _ in groupby(each.writes, key=lambda write: write.sobject)]
        assert len(runs) <= 10
        assert each.action != "upsert" or len(runs) == 1
        ids = [write.salesforce_id for write in each.writes if write.salesforce_id]
        assert len(ids) == len(set(ids))


_ROW = st.tuples(st.integers(0, 5), st.sampled_from(("Tag", "Score", "Lead", "Gone")))


@given(st.lists(_ROW, max_size=8), st.integers(1, 400))
def test_all_rows_of_a_parent_travel_in_one_call(some: list[tuple[int, str]], times: int):
    actions: dict[str, Action] = {"Lead": "update", "Gone": "delete"}
    rows = some * times
    wave = [
        _write(ref, actions.get(sobject, "upsert"), sobject, group=str(parent))
        for ref, (parent, sobject) in enumerate(rows)
    ]
    parts = list(by_parents(wave))

    assert sorted(each.ref for part in parts for each in part) == list(range(len(rows)))
    if len(parts) > 1:
        parents = [{each.group_key for each in part} for part in parts]
        assert sum(map(len, parents)) == len(set().union(*parents))
        assert all(
            len(list(collections_of(part))) <= 5 or len(whose) == 1
            for part, whose in zip(parts, parents, strict=True)
        )


def test_writes_of_one_sort_are_one_part():
    wave = [_write(ref, "upsert", "Tag", group=str(ref % 7)) for ref in range(2_500)]

    assert [len(part) for part in by_parents(wave)] == [2_500]
