"""The demo's table, as a terminal shows it."""

import io

import pytest
from rich.console import Console

from crm_pipeline.demo.outcome import EndedCycle, show
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS
from crm_pipeline.sample.foreseen import Foreseen


@pytest.mark.parametrize("width", [80, 200])
def test_no_word_of_the_table_is_cut(width: int):
    found = Foreseen("Complete", registrations=98_765, attendances=98_765, activities=98_765)
    printed = io.StringIO()
    as_foreseen = show(
        Console(file=printed, width=width),
        [EndedCycle(account, found) for account in SAMPLE_ACCOUNTS],
        {account.account_id: found for account in SAMPLE_ACCOUNTS},
    )
    assert as_foreseen
    assert "…" not in printed.getvalue()
    for word in ("Complete", "rejected", "waiting", "exhausted", "98765", "hollow-oak"):
        assert word in printed.getvalue()
