"""Files that commands write: what strangers typed is no formula of a spreadsheet."""

import csv
import io

from crm_pipeline.spreadsheets import write_csv

FORMULAS = (
    *("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0"),
    *("\t=1", "\r=1", "\n=1", "\nAnn", "＝1+1", "＋1", "－1", "＠SUM(A1)"),
)
TEXTS = ("+49 (30) 901820-12", "-5", "-5.5", "+", "Ann", "a=1", "2026-11-30", "", "'=1", "it's")


def test_no_cell_is_a_formula_and_all_else_stays_as_it_is() -> None:
    file = io.StringIO(newline="")
    assert (
        write_csv(file, ("value",), [(each,) for each in (*FORMULAS, *TEXTS, None)])
        == len(FORMULAS) + len(TEXTS) + 1
    )
    file.seek(0)
    [_, *cells] = [row[0] for row in csv.reader(file)]
    assert cells == [*(f"'{each}" for each in FORMULAS), *TEXTS, ""]
