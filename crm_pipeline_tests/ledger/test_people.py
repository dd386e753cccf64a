"""People of the source's rows, whichever rows are read together."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from crm_pipeline.ledger.people import Sighting, identify

BEFORE, AFTER = (datetime(2026, day, 1, tzinfo=UTC) for day in (1, 2))
ACCOUNTS = (f"account-{number}" for number in count())

Addresses = Mapping[str, str]
"""The address of each of the platform's people."""

IDS = [f"p{number}" for number in range(6)]
addresses = st.dictionaries(st.sampled_from(IDS), st.sampled_from("abcdef"))


def sightings(told: Addresses, ids: Collection[str], at: datetime) -> list[Sighting]:
    return [Sighting(each, told[each], at) for each in ids if each in told]


def who_is_who(
    connection: Connection, before: Addresses, after: Addresses, order: Sequence[str], chunk: int
) -> dict[str, tuple[frozenset[str], str | None]]:
    """Of each of the platform's ids: who are one person with it, and whose record that one has."""
    account = next(ACCOUNTS)
    first = identify(connection, account, sightings(before, before, BEFORE), lambda _: ())
    for person_key in set(first.values()):
        connection.execute(
            text(
                "INSERT INTO crm.identity (account_id, person_key, sobject, salesforce_id, reason,"
                " sent, as_of) SELECT :account, person_key, 'Lead', address, '', '{}', as_of"
                " FROM crm.person WHERE person_key = :person_key"
            ),
            {"account": account, "person_key": person_key},
        )

    def present(ids: Collection[str]) -> list[Sighting]:
        return sightings(after, ids, AFTER)

    for start in range(0, len(order), chunk):
        told = sightings(after, order[start : start + chunk], AFTER + timedelta(minutes=start))
        identify(connection, account, told, present)
    rows = connection.execute(
        text(
            # A person without a record finds one by the address, unless somebody else stands there.
            "SELECT n.value, n.person_key, coalesce(i.salesforce_id, gone.salesforce_id) AS record"
            " FROM crm.person_pointer AS n"
            " INNER JOIN crm.person AS p USING (person_key)"
            " LEFT JOIN crm.identity AS i USING (person_key)"
            " LEFT JOIN (crm.identity AS gone INNER JOIN crm.person AS nobody"
            " ON gone.person_key = nobody.person_key AND nobody.address IS NULL)"
            " ON gone.account_id = n.account_id AND gone.salesforce_id = p.address"
            " WHERE n.account_id = :account"
        ),
        {"account": account},
    ).all()
    ids_of: dict[int, set[str]] = {}
    for row in rows:
        ids_of.setdefault(row.person_key, set()).add(row.value)
    return {row.value: (frozenset(ids_of[row.person_key]), row.record) for row in rows}


def test_who_comes_to_an_address_in_an_earlier_chunk_takes_no_record(pipeline: Engine) -> None:
    """The one who had it was read one chunk later: the new one had taken over the lead."""
    with pipeline.connect() as connection:
        after = {"p1": "b", "p11": "a"}
        for order in (["p11", "p1"], ["p1", "p11"]):
            found = who_is_who(connection, {"p1": "a"}, after, order, chunk=1)
            assert found == {"p1": (frozenset(["p1"]), "a"), "p11": (frozenset(["p11"]), None)}


def become_one(before: Addresses, after: Addresses) -> bool:
    """Returns whether two people come to one address where nobody stays: either may stay."""
    now = {**before, **after}
    return any(
        len({before[each] for each in before if now[each] == address != before[each]}) > 1
        and not any(before[each] == now[each] == address for each in before)
        for address in after.values()
    )


def become_several(before: Addresses, after: Addresses) -> bool:
    """Returns whether one person leaves an address for several others: either may stay that one."""
    now = {**before, **after}
    return any(
        len({now[each] for each in before if before[each] == address}) > 1
        and not any(before[each] == now[each] == address for each in before)
        for address in before.values()
    )


def test_it_does_not_matter_which_rows_are_read_together(pipeline: Engine) -> None:
    """Unless two become one, or one two: then the one who is read first stays the person."""
    with pipeline.connect() as connection:

        @settings(max_examples=60)
        @given(
            before=addresses,
            after=addresses,
            order=st.permutations(IDS),
            chunk=st.integers(1, len(IDS) - 1),
        )
        def alike(before: Addresses, after: Addresses, order: list[str], chunk: int) -> None:
            assume(not become_one(before, after))
            assume(not become_several(before, after))
            told = {**before, **after}
            one, many = (
                who_is_who(connection, before, told, order, size) for size in (len(IDS), chunk)
            )
            assert one == many

        alike()
