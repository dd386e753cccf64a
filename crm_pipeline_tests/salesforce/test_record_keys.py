"""Keys of records: as the org takes them, and no two alike there."""

import pytest

from crm_pipeline.salesforce.record_keys import fitting
from crm_pipeline.text import utf16_length


def test_a_long_key_fits_and_differs_at_its_end():
    one, other = fitting("x" * 400 + "1"), fitting("x" * 400 + "2")
    assert len(one) == len(other) == 255
    assert one != other
    assert fitting("x" * 255) == "x" * 255
    # Salesforce counts in units of UTF-16: an emoji has two.
    long = fitting("\N{FIRE}" * 128)
    assert utf16_length(long) == 255
    assert long != fitting("\N{FIRE}" * 129)
    assert fitting("\N{FIRE}" * 127) == "\N{FIRE}" * 127


@pytest.mark.parametrize(
    "other", [" vip", "vip ", "vip\t", "\N{NO-BREAK SPACE}vip", "vip\n", "", " "]
)
def test_keys_that_differ_by_blanks_around_them_are_two_in_the_org(other: str):
    """Salesforce takes them off: one refused the other, or overwrote it in every cycle."""
    keys = {fitting(each) for each in ("vip", other, f"{other} ")}
    assert len({key.strip() for key in keys} - {""}) == 3
