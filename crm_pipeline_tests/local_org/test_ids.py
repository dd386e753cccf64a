import pytest

from crm_pipeline.local_org.ids import IdCounter, base62, long_id

# Ids of real orgs, as their describes were recorded.
REAL = ["01254000001upcKAAQ", "012000000000000AAA", "001R00000064wdtIAA"]


@pytest.mark.parametrize("whole", REAL)
def test_fifteen_characters_get_the_checksum_of_a_real_id(whole):
    assert long_id(whole[:15]) == whole
    assert long_id(whole) == whole


@pytest.mark.parametrize(
    "text", ["", "001", "01254000001upcKAAX", "01254000001upc!AAQ", "01254000001upc", None, 7]
)
def test_what_is_no_id_is_told_apart(text):
    assert long_id(text) is None


def test_a_counter_hands_out_rising_ids_with_its_prefix_and_never_one_twice():
    counter = IdCounter("00Q", "5fAB")
    ids = [counter.next() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    assert ids == sorted(ids, key=lambda each: [base62_value(char) for char in each[:15]])
    assert all(each.startswith("00Q5fAB") and long_id(each) == each for each in ids)


def test_a_counter_skips_ids_that_were_seen_elsewhere():
    one, other = IdCounter("00Q", "5fAB"), IdCounter("00Q", "5fAB")
    for _ in range(100):
        last = one.next()
    other.skip(last)
    assert other.next() == one.next()


def base62_value(char: str) -> int:
    return next(number for number in range(62) if base62(number, 1) == char)
