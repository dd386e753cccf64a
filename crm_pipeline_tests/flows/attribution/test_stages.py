"""The history of an opportunity as moves from stage to stage."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_pipeline.flows.attribution.stages import HistoryRow, Meaning, in_order, moves

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN, WON, LOST = Meaning(False, False), Meaning(True, True), Meaning(True, False)
MEANINGS = {"Talking": OPEN, "Sure": OPEN, "Won": WON, "Lost": LOST}


def row(
    number: int,
    stage: str,
    *,
    minute: int | None = None,
    category: str | None = "Pipeline",
) -> HistoryRow:
    at = NOON + timedelta(minutes=number if minute is None else minute)
    return {
        "Id": f"008{number:012}",
        "CreatedDate": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "StageName": stage,
        "Probability": 10.0 * number,
        "ForecastCategory": category,
    }


def test_five_moves_are_five_in_order_with_their_times() -> None:
    stages = ["Talking", "Sure", "Talking", "Won", "Lost"]
    rows = [row(number, stage) for number, stage in enumerate(stages)]
    made = moves(in_order(reversed(rows)), MEANINGS)
    assert [each.stage for each in made] == stages
    assert [each.at for each in made] == [NOON + timedelta(minutes=n) for n in range(5)]
    assert [each.meaning for each in made] == [OPEN, OPEN, OPEN, WON, LOST]
    assert [each.probability for each in made] == [0, 10, 20, 30, 40]


def test_a_row_for_the_amount_alone_is_no_move() -> None:
    made = moves([row(0, "Talking"), row(1, "Talking"), row(2, "Sure")], MEANINGS)
    assert [each.stage for each in made] == ["Talking", "Sure"]


def test_rows_of_one_second_are_in_the_order_of_their_ids() -> None:
    rows = [row(2, "Won", minute=0), row(0, "Talking", minute=0), row(1, "Sure", minute=0)]
    assert [each.stage for each in moves(in_order(rows), MEANINGS)] == ["Talking", "Sure", "Won"]


@pytest.mark.parametrize(
    ("category", "meaning"),
    [("Closed", WON), ("Omitted", LOST), ("Pipeline", OPEN), ("BestCase", OPEN), (None, OPEN)],
)
def test_a_label_that_is_gone_is_known_by_its_category(
    category: str | None, meaning: Meaning
) -> None:
    [move] = moves([row(0, "Former", category=category)], MEANINGS)
    assert move.meaning == meaning


def test_nothing_is_no_history() -> None:
    assert moves([], MEANINGS) == []
