"""News among shipped rows, as a table of cases."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crm_pipeline.ledger.positions import Position
from crm_pipeline.sources.extracts import UNFINISHED
from crm_pipeline.sources.shipped import Shipped

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


SUM = Decimal(2000)
READ = Position("registrations", NOW, minutes_ago(30), seen_rows=3, seen_seconds=SUM)
EMPTY = Position("registrations", NOW, NOW, 0, Decimal())
HALF = Position("registrations", NOW, NOW, UNFINISHED, Decimal())
NOTHING = Shipped(0, None, None, Decimal())


@pytest.mark.parametrize(
    ("position", "shipped", "expected"),
    [
        pytest.param(READ, Shipped(3, None, NOW, SUM), False, id="all was read"),
        pytest.param(READ, Shipped(4, None, minutes_ago(-1), SUM + 1860), True, id="newer"),
        pytest.param(READ, Shipped(4, None, minutes_ago(20), SUM + 600), True, id="visible late"),
        pytest.param(READ, Shipped(3, None, minutes_ago(10), SUM + 1), True, id="shipped anew"),
        pytest.param(READ, Shipped(2, None, minutes_ago(20), SUM - 1200), True, id="set back"),
        pytest.param(READ, NOTHING, True, id="rows are gone"),
        pytest.param(HALF, NOTHING, True, id="read in part"),
        pytest.param(EMPTY, NOTHING, False, id="read, and empty"),
        pytest.param(None, Shipped(3, None, NOW, SUM), True, id="never read"),
        pytest.param(None, NOTHING, False, id="never read, and empty"),
    ],
)
def test_what_counts_as_news(position: Position | None, shipped: Shipped, expected: bool) -> None:
    assert shipped.has_news(position) is expected
