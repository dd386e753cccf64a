"""Frames for notebooks: their types with rows and without, and that nothing is written."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from crm_pipeline import frames
from crm_pipeline.accounts.account import AccountError
from crm_pipeline.frames import MOMENTS, OUTLOOKS, PEOPLE, PLAN, UNSENT, FrameColumn
from crm_pipeline.local_org.store import Org
from crm_pipeline.reporting.views import views
from crm_pipeline_tests.cli.conftest import Run, org, run, server
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["org", "run", "server"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "notebooks.md"

LARGE = 2**62 + 1
"""A number that no float holds."""


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


def declared(columns: tuple[FrameColumn, ...]) -> dict[str, str]:
    return {each.name: each.type for each in columns}


def test_each_view_is_a_frame_of_declared_types_though_it_is_empty(pipeline: Engine):
    with pipeline.connect() as connection:
        known = views(connection)
    assert list(frames.views().index) == [each.name for each in known]
    for each in known:
        frame = frames.view(each.name)
        assert types(frame) == {c.name: frames.TYPES[c.type] for c in each.columns}, each.name
        assert frame.attrs["columns"] == {c.name: c.says for c in each.columns}
        assert each.name == "version" or frame.empty


def test_a_view_keeps_large_numbers_gaps_zones_and_days(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO daily.delivery VALUES"
                " ('acme', '2026-11-01', 'f', 'person', 'Lead', 'create', :large, :large, 0, 0),"
                " ('acme', '2026-11-02', 'f', 'person', 'Lead', 'create', 1, NULL, 0, 0)"
            ),
            {"large": LARGE},
        )
    told = frames.view("deliveries", account_id="acme")
    assert told["number"].sum() == LARGE + 1
    late = told.set_index("day")["late"]
    assert late[pd.Timestamp("2026-11-01")] == LARGE
    assert late[pd.Timestamp("2026-11-02")] is pd.NA
    assert len(frames.view("deliveries", since=date(2026, 11, 2))) == 1
    assert frames.view("deliveries", account_id="other").empty
    [added] = frames.view("accounts")["added_at"]
    assert abs(added - datetime.now(UTC)) < pd.Timedelta(hours=1)


def test_what_no_view_has_is_told(pipeline: Engine):
    with pytest.raises(ValueError, match=r"no view reporting.delivery; did you mean deliveries\?"):
        frames.view("delivery")
    with pytest.raises(ValueError, match="there is no view"):
        frames.view('accounts"; DROP SCHEMA crm CASCADE; --')
    with pytest.raises(ValueError, match=r"reporting\.version has no column day"):
        frames.view("version", since=date(2026, 1, 1))


def test_a_plan_and_a_story_are_frames_and_write_nothing(
    run: Run, org: Org, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    with pipeline.begin() as connection:
        for person in (1, 2):
            add_person(connection, person)
            register(connection, person, person)
    planned = frames.plan("acme")
    assert types(planned) == declared(PLAN)
    mail = planned[(planned["about"] == "person:p2@example.com") & (planned["field"] == "Email")]
    assert mail[["outcome", "planned"]].values.tolist() == [["create", "p2@example.com"]]
    assert mail[["record", "now"]].isna().all(axis=None)
    assert len(frames.plan("acme", limit=1)) < len(planned)
    assert not org.table("Lead").rows
    with pytest.raises(AccountError, match=r"^Account acme: nobody of this address"):
        frames.plan("acme", person="nobody@example.com")
    run("cycle", "acme")
    again = frames.plan("acme")
    assert again.empty
    assert types(again) == declared(PLAN)

    told = frames.story("acme", "p1@example.com")
    for frame, columns in zip(told, (PEOPLE, MOMENTS, OUTLOOKS, UNSENT), strict=True):
        assert types(frame) == declared(columns)
        assert frame.attrs["columns"] == {each.name: each.says for each in columns}
    assert told.people["address"].tolist() == ["p1@example.com"]
    assert told.moments["at"].is_monotonic_increasing
    assert set(told.outlooks["state"]) == {"done"}
    assert told.unsent.empty
    nobody = frames.story("acme", "nobody@example.com")
    assert [types(each) for each in nobody] == [types(each) for each in told]
    assert all(each.empty for each in nobody)

    # Word by word, as the page says it.
    fences = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    said: dict[str, object] = {}
    for each in fences:
        exec(each, said)
    assert isinstance(said["daily"], pd.DataFrame)


def test_what_cannot_be_planned_is_told(run: Run, org: Org):
    with pytest.raises(AccountError, match="other"):
        frames.plan("other")
    with pytest.raises(AccountError, match="other"):
        frames.story("other", "p1@example.com")
