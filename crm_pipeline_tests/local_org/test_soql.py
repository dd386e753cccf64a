import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipeline.local_org.conditions import relative_dates
from crm_pipeline.local_org.soql import InList, Junction, Literal, SoqlError, parse


def message(text: str) -> str:
    with pytest.raises(SoqlError) as caught:
        parse(text)
    return caught.value.in_text(text).message


def test_keywords_are_read_in_any_case_and_objects_may_be_named_like_keywords():
    query = parse(
        "select id, Account.Name from Order o where Id != null order by Name desc limit 5"
    )
    assert query.source.parts == ("Order",)
    assert query.alias == "o"
    assert [str(one.selected) for one in query.selections] == ["id", "Account.Name"]
    assert query.order_by[0].descending
    assert query.limit == 5


def test_a_field_whose_name_starts_with_a_keyword_is_a_field():
    query = parse("SELECT Industry, OrderNumber, LimitX__c FROM Account WHERE InFoo__c = 1")
    assert [str(one.selected) for one in query.selections] == [
        "Industry",
        "OrderNumber",
        "LimitX__c",
    ]


def test_an_in_list_of_three_thousand_literals_is_parsed_in_a_few_milliseconds():
    emails = ",".join(f"'someone.{i}@example.com'" for i in range(3000))
    text = f"SELECT Id FROM Lead WHERE Email IN ({emails})"
    parse("SELECT Id FROM Lead")
    started = time.thread_time()
    condition = parse(text).where
    assert time.thread_time() - started < 0.25
    assert isinstance(condition, InList)
    assert len(condition.literals) == 3000


def test_and_and_or_need_parentheses_between_them():
    text = "SELECT Id FROM Lead WHERE A=1 AND B=2 OR C=3"
    assert message(text) == (
        f"\n{text}\n{' ' * 38}^\nERROR at Row:1:Column:39\nunexpected token: 'OR'"
    )
    nested = parse("SELECT Id FROM Lead WHERE A = 1 AND (B = 2 OR C = 3)").where
    assert isinstance(nested, Junction)
    assert nested.every
    assert isinstance(nested.conditions[1], Junction)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("SELECT Id, FROM Lead", 12, "unexpected token: 'FROM'"),
        ("SELECT Id FROM Lead WHERE", 26, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead WHERE Name IN ()", 36, "unexpected token: ')'"),
        ("SELECT Id FROM Lead WHERE Name IN ('a' 'b')", 40, "unexpected token: ''b''"),
        ("SELECT Id FROM Lead WHERE Name = 'O'Reilly'", 37, "unexpected token: 'Reilly'"),
        ("SELECT Id FROM Lead WHERE Name = :name", 34, "Bind variables only allowed in Apex code"),
        ("SELECT Id FROM Lead LIMIT 1.5", 27, "unexpected token: '1.5'"),
        ("SELECT * FROM Lead", None, "line 1:7 no viable alternative at character '*'"),
        ("SELECT Id FROM Lead WHERE Name = 'x", None, "line 1:35 mismatched character '<EOF>' "),
        ("", None, "SOQL statements cannot be empty or null"),
        (f"SELECT Id FROM Lead WHERE A = '{'x' * 100_000}'", None, "SOQL statements cannot be"),
    ],
)
def test_what_is_no_soql_is_refused_with_its_position(text, column, reason):
    said = message(text)
    assert reason in said
    if column is None:
        assert "ERROR at Row" not in said
    else:
        assert f"\n{text}\n{' ' * (column - 1)}^\nERROR at Row:1:Column:{column}\n" in said


def test_of_a_long_query_the_error_shows_the_words_around_the_culprit():
    fields = ", ".join(f"Field_{i}__c" for i in range(40))
    said = message(f"SELECT {fields}, FROM Lead").splitlines()
    assert said[1].startswith("Field_3")
    assert said[1][said[2].index("^") :].startswith("FROM Lead")


def test_rows_are_counted_in_a_query_of_several_lines():
    assert "ERROR at Row:3:Column:9" in message("SELECT Id\nFROM Lead\nWHERE A B")


def test_a_literal_of_more_than_4000_characters_is_refused():
    parse(f"SELECT Id FROM Lead WHERE Name = '{'x' * 4000}'")
    assert "4000" in message(f"SELECT Id FROM Lead WHERE Name = '{'x' * 4001}'")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"'O\'Reilly'", "O'Reilly"),
        (r"'a\\b'", r"a\b"),
        (r"'line\nbreak\ttab'", "line\nbreak\ttab"),
        (r"'\u0041\"'", 'A"'),
        (r"'100\%'", "100%"),
    ],
)
def test_strings_are_unescaped_as_salesforce_does(written, meant):
    assert Literal("string", written, 0).value() == meant


def test_an_unknown_escape_is_refused():
    with pytest.raises(SoqlError, match=r"Illegal character sequence '\\d' in string literal"):
        Literal("string", r"'\d'", 0).value()


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("'Ann%'", "annabel", True),
        ("'%bel'", "Annabel", True),
        ("'A_n%'", "Annabel", True),
        ("'A_n'", "Annabel", False),
        ("'%n%a%l'", "Annabel", True),
        (r"'50\%'", "50%", True),
        (r"'50\%'", "50x", False),
        (r"'a\_b'", "axb", False),
        ("'a.c'", "abc", False),
        ("'%a'", "line\nbreak a", True),
    ],
)
def test_like_takes_percent_for_any_and_underscore_for_one_character(pattern, text, matches):
    assert (Literal("string", pattern, 0).like().fullmatch(text) is not None) is matches


def test_a_like_of_many_wildcards_fails_fast():
    pattern = Literal("string", f"'{'%a' * 60}%b'", 0).like()
    started = time.thread_time()
    assert pattern.fullmatch("a" * 255) is None
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("TODAY", "2026-05-14", "2026-05-15"),
        ("yesterday", "2026-05-13", "2026-05-14"),
        ("TOMORROW", "2026-05-15", "2026-05-16"),
        ("LAST_N_DAYS:3", "2026-05-11", "2026-05-15"),
        ("LAST_90_DAYS", "2026-02-13", "2026-05-15"),
        ("NEXT_N_DAYS:2", "2026-05-15", "2026-05-17"),
        ("N_DAYS_AGO:2", "2026-05-12", "2026-05-13"),
        ("THIS_WEEK", "2026-05-10", "2026-05-17"),
        ("LAST_WEEK", "2026-05-03", "2026-05-10"),
        ("LAST_N_WEEKS:2", "2026-04-26", "2026-05-10"),
        ("THIS_MONTH", "2026-05-01", "2026-06-01"),
        ("LAST_N_MONTHS:6", "2025-11-01", "2026-05-01"),
        ("NEXT_QUARTER", "2026-07-01", "2026-10-01"),
        ("N_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
    ],
)
def test_relative_dates_stand_for_days(text, first, after):
    thursday = date(2026, 5, 14)
    expected = (date.fromisoformat(first), date.fromisoformat(after))
    assert relative_dates(Literal("relative", text, 0), thursday) == expected


def test_the_last_n_days_as_a_bound_stand_for_the_farthest_of_them():
    literal = Literal("relative", "LAST_N_DAYS:3", 0)
    start, end = relative_dates(literal, date(2026, 5, 14), is_bound=True)
    assert (start, end) == (date(2026, 5, 11), date(2026, 5, 12))


WORDS = (
    *("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "ORDER", "BY", "GROUP"),
    *("HAVING", "LIMIT", "OFFSET", "NULLS", "FIRST", "LAST", "ALL", "ROWS", "ASC", "DESC"),
    *("Id", "Name", "Account.Name", "Lead", "COUNT()", "COUNT(Id)", "(", ")", ",", "=", "!="),
    *("<>", "<", ">=", "'x'", r"'a\'b'", "12", "1.5", "null", "true", "TODAY", "LAST_N_DAYS:3"),
    *("2026-01-01", "2026-01-01T00:00:00Z", ":", "'", "\\", '"', ";", "é", "*", "--", "/*"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_words_are_parsed_or_refused(parts):
    try:
        parse(" ".join(["SELECT Id FROM Lead WHERE", *parts]))
        parse(" ".join(parts))
    except SoqlError as refusal:
        refusal.in_text(" ".join(parts))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(text):
    for whole in (text, f"SELECT Id FROM Lead WHERE Name = {text}"):
        try:
            parse(whole)
        except SoqlError as refusal:
            refusal.in_text(whole)
