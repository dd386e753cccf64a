"""The short way to the people of rows without a surprise says what the long one says."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from crm_pipeline.ledger.people import Sighting, Who, _thought_about, identify
from crm_pipeline_tests.ledger.conftest import NOON

_SIGHTINGS = st.lists(
    st.builds(
        Sighting,
        st.sampled_from([None, "p1", "p2", "p3", "p4", "p5"]),
        st.sampled_from([f"{name}@acme.test" for name in "abcdef"]),
        st.integers(0, 5).map(lambda minute: NOON + timedelta(minutes=minute)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda said: (said.source_person, said.source_person or said.address),
)


def nobody(_: Collection[str]) -> Collection[Sighting]:
    return ()


def _people(connection: Connection, account_id: str) -> list[tuple[object, ...]]:
    """The account's people: the address of each, since when, and which ids point there."""
    rows = connection.execute(
        text(
            "SELECT p.address, p.as_of, array_agg((k.value, k.as_of)::text ORDER BY k.value)"
            " FROM crm.person AS p LEFT JOIN crm.person_pointer AS k USING (person_key)"
            " WHERE p.account_id = :account_id GROUP BY p.person_key ORDER BY 1, 3, 2"
        ),
        {"account_id": account_id},
    )
    return [(address, as_of, tuple(ids)) for address, as_of, ids in rows]


def _together(found: Mapping[Who, int]) -> set[frozenset[Who]]:
    """The sightings that are about one person, together."""
    return {
        frozenset(who for who, number in found.items() if number == person)
        for person in found.values()
    }


@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chunks=st.lists(_SIGHTINGS, min_size=1, max_size=4))
def test_the_short_way_says_what_the_long_one_says(
    ledger: Connection, chunks: Sequence[list[Sighting]]
) -> None:
    now: dict[str | None, Sighting] = {}

    def present(ids: Collection[str]) -> list[Sighting]:
        return [now[each] for each in ids if each in now]

    with ledger.begin_nested() as example:
        for chunk in chunks:
            now |= {each.source_person: each for each in chunk}
            heard = {each.source_person for each in chunk}
            short = identify(ledger, "acme", chunk, present)
            long = _thought_about(
                ledger,
                {"account_id": "other", "kind": "platform"},
                [*chunk],
                (),
                heard=heard,
                present=present,
            )
            assert _together(short) == _together(long)
            assert _people(ledger, "acme") == _people(ledger, "other")
        example.rollback()


def test_thousands_without_a_surprise_take_two_statements_and_then_one(ledger: Connection) -> None:
    strangers = [Sighting(f"p{n}", f"p{n}@acme.test", NOON) for n in range(3_000)]
    asked: list[str] = []
    event.listen(ledger, "before_cursor_execute", lambda *of: asked.append(of[2]))
    made = identify(ledger, "acme", strangers, nobody)
    assert len(asked) == 2
    assert identify(ledger, "acme", strangers, nobody) == made
    assert len(asked) == 3
    assert len(set(made.values())) == 3_000


def test_of_several_addresses_of_an_id_the_newest_holds(ledger: Connection) -> None:
    older = Sighting("p1", "a@acme.test", NOON)
    newer = Sighting("p1", "b@acme.test", NOON + timedelta(minutes=1))
    for said in ([older, newer], [newer, older]):
        found = identify(ledger, "acme", said, nobody)
        assert len(set(found.values())) == 1
        assert len(found) == 2
        assert [address for address, *_ in _people(ledger, "acme")] == ["b@acme.test"]
