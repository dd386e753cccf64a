"""By which address the person of a tracked lead is known: numbers, addresses, their owners."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.ledger.tracked_leads import LeadByPhone, TrackedLead, whose_leads

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
X, Y = "tel:+4930901820", "tel:+4930901821"
ADA, BOB = "ada@example.com", "bob@example.com"
Said = tuple[str, str | None, str | None]
"""A lead's id, the address and the number that it gives."""


class Told:
    """The lines that were told, as the ledger keeps them."""

    def __init__(self) -> None:
        self.known: dict[str, TrackedLead] = {}
        self.minute = 0

    def hear(self, *said: Said) -> None:
        """Some leads in one batch."""
        batch = []
        for lead_id, email, phone in said:
            self.minute += 1
            at = NOON + timedelta(minutes=self.minute)
            batch.append(TrackedLead(lead_id, at, at, None, email, phone))
        numbers = {each.phone for each in batch}
        known = [
            LeadByPhone(e.lead_id, e.as_of, e.email, str(e.phone), str(e.address))
            for e in self.known.values()
            if e.phone is not None and e.phone in numbers
        ]
        for moved in whose_leads(batch, known):
            self.known[moved.lead_id].address = moved.address
        self.known |= {each.lead_id: each for each in batch}

    @property
    def addresses(self) -> dict[str, str | None]:
        return {lead_id: each.address for lead_id, each in self.known.items()}


def told(*batches: Sequence[Said]) -> dict[str, str | None]:
    ledger = Told()
    for batch in batches:
        ledger.hear(*batch)
    return ledger.addresses


def test_a_number_is_whose_address_was_given_with_it() -> None:
    assert told([("1", ADA, X)], [("2", None, X)]) == {"1": ADA, "2": ADA}


def test_callers_of_a_number_have_the_first_address_that_is_given_with_it() -> None:
    assert told([("1", None, X), ("2", None, X)], [("3", ADA, X)]) == dict.fromkeys("123", ADA)


def test_a_number_of_two_addresses_is_whoever_calls() -> None:
    assert told([("1", ADA, X), ("2", BOB, X)], [("3", None, X)])["3"] == X


def test_a_second_address_takes_no_caller_from_the_first() -> None:
    assert told([("1", ADA, X), ("2", None, X)], [("3", BOB, X)])["2"] == ADA


def test_a_corrected_address_takes_the_callers_of_its_number_along() -> None:
    assert told([("1", ADA, X), ("2", None, X)], [("1", BOB, X)])["2"] == BOB


def test_a_corrected_number_is_another_caller() -> None:
    assert told([("1", ADA, X), ("2", None, X)], [("2", None, Y)])["2"] == Y


def test_a_caller_who_says_more_stays_who_it_was() -> None:
    assert told([("1", ADA, X), ("2", None, X)], [("3", BOB, X)], [("2", None, X)])["2"] == ADA


SAID = st.tuples(
    st.sampled_from("123456"), st.sampled_from([None, ADA, BOB]), st.sampled_from([None, X, Y])
).filter(lambda said: said[1] is not None or said[2] is not None)


@given(st.lists(SAID, max_size=14), st.integers(min_value=2, max_value=6))
def test_it_does_not_matter_which_leads_are_read_together(said: list[Said], size: int) -> None:
    once = list({each[0]: each for each in said}.values())
    one_by_one = told(*([each] for each in once))
    together = told(*(once[start : start + size] for start in range(0, len(once), size)))
    assert one_by_one == together


@given(st.lists(SAID, max_size=20))
def test_a_number_never_makes_one_person_of_two_addresses(said: list[Said]) -> None:
    ledger = Told()
    given_with: dict[str | None, set[str | None]] = {}
    for lead_id, email, phone in said:
        ledger.hear((lead_id, email, phone))
        given_with.setdefault(phone, set()).add(email)
        now = ledger.known[lead_id]
        assert now.address == email or email is None
    for each in ledger.known.values():
        if each.email is None:
            assert each.address == each.phone or each.address in given_with[each.phone]
