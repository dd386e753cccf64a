"""The rows of a sample warehouse do not depend on how the work was cut."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from crm_pipeline.sample.draws import Draws
from crm_pipeline.sample.history import history
from crm_pipeline.sample.platform import SamplePlatform, moment, shared_out

UNTIL = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)


def rows(*, seed: int = 1, chunk_rows: int = 10_000) -> dict[str, pd.DataFrame]:
    platform = SamplePlatform(["a", "b", "c"], shared_out(900, 3), moment(UNTIL), Draws(seed))
    parts: dict[str, list[pd.DataFrame]] = {}
    for tables in history(platform, chunk_rows):
        for table, part in tables.items():
            parts.setdefault(table, []).append(part)
    whole = {table: pd.concat(frames) for table, frames in parts.items()}
    return {
        table: frame.sort_values(list(frame.columns[:3])).reset_index(drop=True)
        for table, frame in whole.items()
    }


def test_chunks_of_any_size_give_the_same_rows():
    whole = rows()

    for table, cut in rows(chunk_rows=77).items():
        # A column of a chunk in which no row has a value has another type, and another nothing.
        pd.testing.assert_frame_equal(
            cut.astype(object).fillna(""), whole[table].astype(object).fillna(""), check_dtype=False
        )


def test_the_same_seed_gives_the_same_rows_and_another_gives_others():
    pd.testing.assert_frame_equal(rows()["person"], rows()["person"])
    assert not rows(seed=2)["person"]["email"].equals(rows()["person"]["email"])


@pytest.mark.parametrize(("total", "clients"), [(1, 1), (8, 8), (1_000, 7), (1_000_000, 1_000)])
def test_registrations_are_shared_out_so_that_each_client_has_some(total: int, clients: int):
    shares = shared_out(total, clients)

    assert shares.sum() == total
    assert shares.min() >= 1
    assert list(shares) == sorted(shares, reverse=True)


def test_fewer_registrations_than_clients_are_refused():
    with pytest.raises(ValueError, match="3 registrations are too few for 4 clients"):
        shared_out(3, 4)


def test_draws_are_even_and_differ_by_purpose():
    ids = np.arange(1, 20_001)
    draws = Draws(7)

    share = draws.share(ids, "one thing")

    assert abs(share.mean() - 0.5) < 0.01
    assert np.histogram(share, bins=10)[0].min() > 1_800
    assert abs(np.corrcoef(share, draws.share(ids, "another"))[0, 1]) < 0.03
    assert abs(np.corrcoef(share[1:], share[:-1])[0, 1]) < 0.03
