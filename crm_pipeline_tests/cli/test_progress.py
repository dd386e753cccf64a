"""How far a cycle is, on a terminal."""

import io

import pytest
from rich.console import Console

from crm_pipeline.cli.progress import phase_bars


@pytest.mark.parametrize("width", [60, 80])
def test_numbers_stay_whole_on_a_narrow_terminal(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    bars = phase_bars(console)
    sending = "ember-institute: sending 200 Leads to create by composite calls since 13:08:35 UTC"
    bars.add_task(sending, total=None)
    bars.add_task("campaign members", total=10_000, completed=3_200)
    with console.capture() as captured:
        console.print(bars.get_renderable())
    shown = captured.get()
    assert "3200/10000" in shown
    assert shown.count("0:00:00") == 2, "the time that each took"
    assert "-:--:--" in shown, "the time that is left"
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
