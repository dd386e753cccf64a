"""SOQL texts and what they say: a parser, the tree that it builds, and errors with a position.

Nothing here knows an org or its objects; `selection.py` gives the tree its meaning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any, NamedTuple, NoReturn

import lark

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.errors import SalesforceError

MAX_TEXT = 100_000
MAX_LITERAL = 4_000
_EXCERPT = 40
_MOST_DIGITS = 18


class SoqlError(PicklableError):
    """A query that Salesforce refuses; `at` is the offset of the culprit in the text."""

    def __init__(self, reason: str, at: int | None = None, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at
        self.code = code

    def in_text(self, text: str) -> SalesforceError:
        """The answer to the request: the line, a caret under the culprit, row and column."""
        if self.at is None:
            return SalesforceError(400, self.code, self.reason)
        start = text.rfind("\n", 0, self.at) + 1
        end = text.find("\n", self.at)
        line, column = text[start : end if end >= 0 else len(text)], self.at - start
        excerpt, caret = _excerpt(line, column)
        row = text.count("\n", 0, self.at) + 1
        position = f"\n{excerpt}\n{' ' * caret}^\nERROR at Row:{row}:Column:{column + 1}\n"
        return SalesforceError(400, self.code, position + self.reason)


def _excerpt(line: str, column: int) -> tuple[str, int]:
    """Salesforce shows whole words of about 40 characters on each side of the culprit."""
    first, last = 0, len(line)
    if column > _EXCERPT:
        boundary = re.compile(r"[\s,]+").search(line, column - _EXCERPT, column)
        first = boundary.end() if boundary else column
    if last - column > _EXCERPT:
        boundary = re.compile(r"[\s,]").search(line, column + _EXCERPT)
        last = boundary.start() if boundary else last
        last = min(last, column + 3 * _EXCERPT)
    return line[first:last], column - first


@dataclass(frozen=True, slots=True)
class Name:
    """A field, perhaps of a parent: `Account.Owner.Name`."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`COUNT()`, `MAX(CreatedDate)`; the function's name in upper case."""

    function: str
    argument: Name | None
    at: int


Operand = Name | FunctionCall


class Literal(NamedTuple):
    """A value as written. `kind`: string, number, date, datetime, boolean, null or relative."""

    kind: str
    text: str
    at: int

    def value(self) -> str:
        """The text of a string literal without its quotes and escapes."""
        inner = self.text[1:-1]
        return _ESCAPE.sub(self._unescape, inner) if "\\" in inner else inner

    def like(self) -> re.Pattern[str]:
        r"""The pattern of a LIKE: `%` any characters, `_` exactly one, `\%` and `\_` themselves."""
        parts = [""]
        for piece in re.findall(r"\\u[0-9a-fA-F]{4}|\\.|[%_]|[^\\%_]+", self.text[1:-1], re.DOTALL):
            if piece == "%":
                parts.append("")
            elif piece == "_":
                parts[-1] += "."
            else:
                parts[-1] += re.escape(Literal("string", f"'{piece}'", self.at).value())
        first, *others = parts
        # Each part may keep its first place; without this, many % take forever to fail.
        middle = "".join(f"(?>.*?{part})" for part in others[:-1])
        last = f".*{others[-1]}" if others else ""
        return re.compile(first + middle + last, re.IGNORECASE | re.DOTALL)

    def _unescape(self, escape: re.Match[str]) -> str:
        plain = _ESCAPES.get(escape[0][1])
        if plain is not None:
            return plain
        if len(escape[0]) == 6:
            return chr(int(escape[0].removeprefix("\\u"), base=16))
        raise SoqlError(
            f"Invalid string literal {self.text}. "
            f"Illegal character sequence '{escape[0]}' in string literal.",
            self.at,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison: `<`, `<=`, `>`, `>=` or `LIKE`."""

    operand: Operand
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class InList:
    """`IN` or `NOT IN` a list of literals; `=`, `!=` and `<>` are such lists of one."""

    operand: Operand
    negated: bool
    literals: list[Literal]


@dataclass(frozen=True, slots=True)
class InQuery:
    """`IN` or `NOT IN` a sub-select: a semi join or anti join."""

    operand: Operand
    negated: bool
    query: "Query"


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions of which all must hold (AND), or one (OR)."""

    every: bool
    conditions: tuple["Condition", ...]


Condition = Comparison | InList | InQuery | Negation | Junction


@dataclass(frozen=True, slots=True)
class Selection:
    """One thing that is selected: a field, an aggregate, children."""

    selected: "Operand | Query"
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """One key of ORDER BY."""

    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT; `source` is an object, or in a child sub-select a relationship."""

    selections: tuple[Selection, ...]
    source: Name
    alias: str | None = None
    where: Condition | None = None
    group_by: tuple[Name, ...] = ()
    having: Condition | None = None
    order_by: tuple[Sorting, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False

    @property
    def counts_only(self) -> bool:
        """True for `SELECT COUNT() FROM ...`: a total and no records."""
        match [one.selected for one in self.selections]:
            case [FunctionCall("COUNT", None)]:
                return not self.group_by
        return False


def parse(text: str) -> Query:
    """Parses a query. Raises SoqlError where Salesforce answers MALFORMED_QUERY."""
    if not text.strip():
        raise SoqlError("SOQL statements cannot be empty or null")
    if len(text) > MAX_TEXT:
        raise SoqlError(f"SOQL statements cannot be longer than {MAX_TEXT} characters.")
    try:
        parsed: Any = _parser().parse(text)
    except lark.UnexpectedCharacters as unreadable:
        _refuse_characters(text, unreadable.pos_in_stream or 0)
    except lark.UnexpectedToken as unexpected:
        _refuse_token(text, unexpected)
    query: Query = parsed
    return query


def _refuse_token(text: str, unexpected: lark.UnexpectedToken) -> NoReturn:
    if unexpected.token.type == "$END":
        raise SoqlError("unexpected token: '<EOF>'", len(text.rstrip()))
    at = unexpected.token.start_pos or 0
    # The lexer may have taken several words for a list of literals: the first one is meant.
    word = re.compile(r"'(?:[^'\\]|\\.)*'|[\w.]+|[<>!]=|.", re.DOTALL).match(text, at)
    raise SoqlError(f"unexpected token: '{word[0] if word else ''}'", at)


def _refuse_characters(text: str, at: int) -> NoReturn:
    if text[at] == ":":
        raise SoqlError("Bind variables only allowed in Apex code", at)
    row, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1
    if text[at] == "'":
        raise SoqlError(f"line {row}:{len(text)} mismatched character '<EOF>' expecting '''")
    raise SoqlError(f"line {row}:{column} no viable alternative at character '{text[at]}'")


_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_ESCAPES = {
    "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "N": "\n", "R": "\r", "T": "\t",
    "B": "\b", "F": "\f", '"': '"', "'": "'", "\\": "\\", "%": "%", "_": "_",
}  # fmt: skip
_WORDS = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|[^\s,']+", re.DOTALL)
_KINDS = re.compile(
    r"""
    (?P<number>[+-]?\d+(\.\d+)?(e[+-]?\d+)?)
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d))
    |(?P<boolean>true|false)
    |(?P<null>null)
    |(?P<relative>today|yesterday|tomorrow|(last|next)_90_days
        |(last|this|next)_(week|month|quarter|year)
        |(last|next)_n_(days|weeks|months|quarters|years):\d{1,5}
        |n_(days|weeks|months|quarters|years)_ago:\d{1,5})
    """,
    re.IGNORECASE | re.VERBOSE,
)


def _literals(token: lark.Token) -> Iterator[Literal]:
    offset = token.start_pos or 0
    for word in _WORDS.finditer(token):
        text, at = word[0], offset + word.start()
        if text[0] == "'":
            if len(text) > MAX_LITERAL + 2:
                raise SoqlError(f"String literal is longer than {MAX_LITERAL} characters.", at)
            yield Literal("string", text, at)
            continue
        matched = _KINDS.fullmatch(text)
        if matched is None:
            raise SoqlError(f"unexpected token: '{text}'", at)
        yield Literal(str(matched.lastgroup), text, at)


def _literal(token: lark.Token) -> Literal:
    first, *more = _literals(token)
    if more:
        raise SoqlError("unexpected token: ','", first.at + len(first.text))
    return first


def _whole_number(token: lark.Token) -> int:
    literal = _literal(token)
    text = literal.text.lstrip("0") or "0"
    if literal.kind != "number" or not text.isdigit():
        raise SoqlError(f"unexpected token: '{literal.text}'", literal.at)
    if len(text) > _MOST_DIGITS:
        raise SoqlError(f"number out of range: {text[:_MOST_DIGITS]}...", literal.at)
    return int(text)


@lark.v_args(inline=True)
class _TreeBuilder(lark.Transformer[lark.Token, Query]):
    """Each member is named after the grammar's rule and gets what the rule is made of."""

    alias = str
    selection = Selection
    negation = Negation
    in_query = InQuery

    def query(
        self, selections: tuple[Selection, ...], source: Name, *clauses: dict[str, Any]
    ) -> Query:
        given = {name: said for clause in clauses for name, said in clause.items()}
        return Query(selections, source, **given)

    def selections(self, *selections: Selection) -> tuple[Selection, ...]:
        return selections

    def name(self, token: lark.Token) -> Name:
        return Name(tuple(token.split(".")), token.start_pos or 0)

    def call(self, function: lark.Token, argument: Name | None = None) -> FunctionCall:
        return FunctionCall(function.upper(), argument, function.start_pos or 0)

    def source_alias(self, alias: str) -> dict[str, str]:
        return {"alias": alias}

    def where(self, condition: Condition) -> dict[str, Condition]:
        return {"where": condition}

    def group(self, *names: Name) -> dict[str, tuple[Name, ...]]:
        return {"group_by": names}

    def having(self, condition: Condition) -> dict[str, Condition]:
        return {"having": condition}

    def order(self, *sortings: Sorting) -> dict[str, tuple[Sorting, ...]]:
        return {"order_by": sortings}

    def sorting(self, operand: Operand, *words: lark.Token) -> Sorting:
        said = {word.type for word in words}
        return Sorting(operand, "DESC" in said, "LAST" in said)

    def limit(self, token: lark.Token) -> dict[str, int]:
        return {"limit": _whole_number(token)}

    def offset(self, token: lark.Token) -> dict[str, int]:
        return {"offset": _whole_number(token)}

    def all_rows(self, _all: lark.Token) -> dict[str, bool]:
        return {"all_rows": True}

    def conjunction(self, *conditions: Condition) -> Junction:
        return Junction(True, conditions)

    def disjunction(self, *conditions: Condition) -> Junction:
        return Junction(False, conditions)

    def membership(self, *negations: lark.Token) -> bool:
        return bool(negations)

    def comparison(
        self, operand: Operand, operator: lark.Token, token: lark.Token
    ) -> Comparison | InList:
        literal = _literal(token)
        if operator in ("=", "!=", "<>"):
            return InList(operand, operator != "=", [literal])
        return Comparison(operand, operator.upper(), literal)

    def in_list(self, operand: Operand, negated: bool, literals: lark.Token) -> InList:
        return InList(operand, negated, list(_literals(literals)))


@cache
def _parser() -> lark.Lark:
    grammar = File(__file__).with_name("soql.lark").read_text()
    return lark.Lark(grammar, parser="lalr", transformer=_TreeBuilder(), maybe_placeholders=False)
