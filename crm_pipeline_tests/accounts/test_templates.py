"""Templates: what they make of a row, what they cannot, and which can never be."""

import re
from typing import Any

import pytest

from crm_pipeline.accounts.files import AccountFile
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.accounts.templates import Template, source_of
from crm_pipeline.sources.mapping import field_map

TABLE = {"BY": "Bavaria", "nw": "Rhineland", "1": "one", "true": "yes", "n/a": ""}


@pytest.mark.parametrize(
    ("rules", "row", "made"),
    [
        ({"columns": ["a", "b"]}, {"a": " Ann ", "b": "Lee"}, "Ann Lee"),
        ({"columns": ["a", "b"]}, {"a": "Ann", "b": "  "}, "Ann"),
        ({"columns": ["a", "b"]}, {"a": None}, None),
        ({"columns": ["a", "b"], "separator": ", "}, {"a": ["x", "y"], "b": 1.50}, "x, y, 1.5"),
        ({"columns": ["a", "b"], "separator": ""}, {"a": True, "b": b"\x01"}, r"true\x01"),
        ({"columns": ["a"], "lookup": TABLE}, {"a": "by "}, "Bavaria"),
        ({"columns": ["a"], "lookup": TABLE}, {"a": "NW"}, "Rhineland"),
        ({"columns": ["a"], "lookup": TABLE}, {"a": 1}, "one"),
        ({"columns": ["a"], "lookup": TABLE}, {"a": True}, "yes"),
        ({"columns": ["a"], "lookup": TABLE}, {"a": "n/a"}, None),
        ({"columns": ["a"], "lookup": TABLE}, {"a": "Atlantis"}, None),
        ({"columns": ["a"], "lookup": TABLE}, {"a": ["by", "??", "nw"]}, ["Bavaria", "Rhineland"]),
        ({"columns": ["a", "b"], "lookup": {"b y": "x"}}, {"a": "B", "b": "Y"}, "x"),
        ({"columns": ["a"], "date_format": "%d.%m.%Y"}, {"a": "2026-12-31"}, "31.12.2026"),
        ({"columns": ["a"], "date_format": "%H:%M"}, {"a": "2026-12-31T23:30:00Z"}, "23:30"),
        ({"columns": ["a"], "date_format": "%d. %H"}, {"a": "2026-12-31T23:30"}, "31. 22"),
        (
            {"columns": ["a"], "date_format": "%d.%m.", "timezone": "Europe/Berlin"},
            {"a": "2026-12-31T23:30:00.000+0000"},
            "01.01.",
        ),
        (
            {"columns": ["a"], "date_format": "%d.%m.", "timezone": "America/New_York"},
            {"a": "2026-12-31"},
            "31.12.",
        ),
        ({"columns": ["a"], "date_format": "%d"}, {"a": "0001-01-01T00:00+14:00"}, None),
        ({"columns": ["a"], "date_format": "%d"}, {"a": "tomorrow"}, None),
        ({"columns": ["a"], "date_format": "%d"}, {"a": 20261231}, None),
    ],
)
def test_what_a_template_makes_of_a_row(rules: dict[str, Any], row: dict[str, Any], made: Any):
    template = Template.model_validate(rules)
    mapped = field_map({"F": template}, {}, timezone="Europe/Berlin")
    assert mapped.apply(row).get("F") == made
    default = template.model_copy(update={"default": "none"})
    mapped = field_map({"F": default}, {}, timezone="Europe/Berlin")
    assert mapped.of_the_only_row(row)["F"] == ("none" if made is None else made)


@pytest.mark.parametrize(
    ("rules", "said", "missed"),
    [
        ({"lookup": TABLE}, "Atlantis", "Atlantis"),
        ({"lookup": TABLE}, ["by", "??"], "??"),
        ({"lookup": TABLE}, "n/a", None),
        ({"lookup": TABLE}, None, None),
        ({"date_format": "%d"}, "tomorrow", "tomorrow"),
        ({"date_format": "%d"}, 5, "5"),
        ({"date_format": "%d"}, "2026-12-31", None),
        ({"default": "x"}, "anything", None),
    ],
)
def test_what_a_row_says_in_vain_is_known(rules: dict[str, Any], said: Any, missed: str | None):
    template = source_of(["a"], rules)
    assert isinstance(template, Template)
    [*found] = field_map({"F": template}, {}).missed({"a": said})
    assert found == ([] if missed is None else [("F", missed)])


@pytest.mark.parametrize(
    ("columns", "rules", "why"),
    [
        (["a"], {"separator": "-"}, "there is one"),
        (["a", "b"], {"date_format": "%d"}, "of one column"),
        (["a"], {"date_format": "day"}, "writes no part of a day"),
        (["a"], {"date_format": "100%%"}, "writes no part of a day"),
        (["a"], {"date_format": "%d %Q"}, "there is no %Q"),
        (["a"], {"date_format": "%d%"}, "there is no %"),
        (["a"], {"date_format": "%d", "timezone": "Berlin"}, "no time zone"),
        (["a"], {"timezone": "Europe/Berlin"}, "belongs to a date_format"),
        (["a"], {"date_format": "%d", "lookup": TABLE}, "not both"),
        (["a"], {"lookup": {}}, "at least 1"),
        (["a"], {"lookup": {" ": "x"}}, "blank value"),
        (["a"], {"lookup": {"by": "x", "BY ": "y"}}, "two rows for one value: 'by' and 'BY '"),
        (["a"], {"lookup": {str(n): "x" for n in range(10_001)}}, "at most 10000"),
        (["a"], {"default": " "}, "default is blank"),
        (["a"], {"default": "\0"}, "default is blank"),
        (["a"], {"lookup": {"a": "b\0"}}, "NUL"),
        (["a", " "], {}, "no name"),
    ],
)
def test_a_template_that_can_never_be_is_refused(
    columns: list[str], rules: dict[str, Any], why: str
):
    with pytest.raises(ValueError, match=re.escape(why)):
        source_of(columns, rules)


def test_a_column_without_rules_is_no_template():
    assert source_of([" county "], {"default": None}) == "county"


def test_another_template_is_described_otherwise():
    """By that a flow knows that rows are to be read again."""
    tables = [{"BY": "Bavaria"}, {"BY": "Bayern"}, {"BW": "Bavaria"}]
    rules: list[tuple[list[str], dict[str, Any]]] = [
        (["a", "b"], {}),
        (["b", "a"], {}),
        (["a", "b"], {"separator": ";"}),
        (["a"], {"date_format": "%d"}),
        (["a"], {"date_format": "%d", "timezone": "Europe/Berlin"}),
        (["a"], {"default": "x"}),
        (["a"], {"default": "y"}),
        *((["a"], {"lookup": table}) for table in tables),
    ]
    described = {str(source_of(*each)) for each in rules}
    assert len(described) == 10
    told = str(source_of(["a"], {"lookup": tables[0], "default": "x"}))
    assert told.startswith("a by a table of 1 row (")
    assert told.endswith("), else 'x'")


def test_a_file_says_templates_as_they_are():
    text = """
account: acme
client: client-1
name: Acme
login_url: https://acme.my.salesforce.com
mapping:
  Lead:
    Full__c: {source: [first_name, surname]}
    Region__c: {source: county, lookup: {BY: Bavaria, 1: 2, true: false}, default: 7}
    Rating: {source: county}
"""
    [file] = AccountFile.parse(text, "acme.yaml")
    region = {"lookup": {"BY": "Bavaria", "1": "2", "true": "false"}, "default": "7"}
    assert file.mappings == (
        FieldMapping("Lead", "Full__c", source_of(["first_name", "surname"], {})),
        FieldMapping("Lead", "Region__c", source_of(["county"], region)),
        FieldMapping("Lead", "Rating", "county"),
    )
    [again] = AccountFile.parse(file.written(), "again.yaml")
    assert again.mappings == file.mappings
