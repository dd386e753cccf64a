"""The document docs/attribution.md is right about settings."""

import json
import re

from pydantic import BaseModel

from crm_pipeline.accounts.attribution import TOUCH_COLUMNS, AttributionSettings
from crm_pipeline.settings import PROJECT

TEXT = (PROJECT / "docs/attribution.md").read_text(encoding="utf-8")


def settings_table() -> str:
    rows = ["| in `attribution` | default | what it is |", "|---|---|---|"]
    for name, field in AttributionSettings.model_fields.items():
        default = field.default
        if isinstance(default, BaseModel):
            default = default.model_dump(exclude_none=True)
        shown = "none" if default is None else f"`{json.dumps(default)}`"
        rows.append(f"| `{name}` | {shown} | {field.description} |")
    return "\n".join(rows)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    inside = re.search(r"<!-- attribution -->\n(.*?)\n<!-- /attribution -->", TEXT, re.DOTALL)
    assert inside
    assert inside[1] == settings_table()


def test_every_part_of_a_touch_is_named() -> None:
    assert all(f"`{part}`" in TEXT for part in TOUCH_COLUMNS)


def test_the_settings_that_are_shown_are_possible() -> None:
    shown = re.findall(r"attribution=(\{.*?\})'", TEXT, re.DOTALL)
    assert len(shown) == 2
    for each in shown:
        AttributionSettings.model_validate_json(each)
