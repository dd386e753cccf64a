"""Formulas of validation and assignment rules: parsed once, then a function of the record.

Fields by API name, texts, numbers, TRUE, FALSE, NULL; = <> < > <= >= && || !; and the functions
AND OR NOT ISBLANK ISNULL ISNEW ISCHANGED PRIORVALUE ISPICKVAL LEN CONTAINS BEGINS LOWER TEXT
REGEX.
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import lark

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.schema import Row, SObjectType

Formula = Callable[[Row, Row | None], Any]
"""Takes the record as it would be saved and as it is (None: new), and returns a value."""


def compile_formula(text: str, of: SObjectType) -> Formula:
    """Turns a formula about an object into a function. Raises `OrgConfigError`."""
    try:
        tree = _parser().parse(text)
        return _Compiler(of).transform(tree)
    except lark.exceptions.UnexpectedInput as error:
        raise _unclear(f"cannot be read from column {error.column} on: {text}") from None
    except lark.exceptions.VisitError as error:
        raise error.orig_exc from None


def _unclear(what: str) -> OrgConfigError:
    return OrgConfigError(f"formula: {what}")


@cache
def _parser() -> lark.Lark:
    grammar = Path(__file__).with_name("formula.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", maybe_placeholders=False)


def _equal(one: Any, other: Any) -> bool:
    # A blank text and no value are the same in a formula.
    return bool((None if one == "" else one) == (None if other == "" else other))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def check(one: Any, other: Any) -> bool:
        try:
            return compare(one, other)
        except TypeError:
            return False

    return check


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "<>": lambda one, other: not _equal(one, other),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _matches(text: Any, pattern: Any) -> bool:
    try:
        return re.fullmatch(_text(pattern), _text(text)) is not None
    except re.error:
        return False


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "AND": lambda *parts: all(parts),
    "OR": lambda *parts: any(parts),
    "NOT": lambda part: not part,
    "ISBLANK": lambda value: _equal(value, None),
    "ISNULL": lambda value: _equal(value, None),
    "ISPICKVAL": _equal,
    "LEN": lambda text: len(_text(text)),
    "CONTAINS": lambda text, part: _text(part) in _text(text),
    "BEGINS": lambda text, part: _text(text).startswith(_text(part)),
    "LOWER": lambda text: _text(text).lower(),
    "TEXT": _text,
    "REGEX": _matches,
}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}


@lark.v_args(inline=True)
class _Compiler(lark.Transformer[lark.Token, Formula]):
    """Turns a parsed formula into a function, from the leaves up."""

    def __init__(self, of: SObjectType) -> None:
        super().__init__()
        self._of = of

    def number(self, digits: lark.Token) -> Formula:
        return _constant(float(digits))

    def text(self, quoted: lark.Token) -> Formula:
        return _constant(re.sub(r"\\(.)", r"\1", quoted[1:-1]))

    def named(self, name: lark.Token) -> Formula:
        if name.upper() in _CONSTANTS:
            return _constant(_CONSTANTS[name.upper()])
        found = self._of.find(name)
        if found is None:
            raise _unclear(f"there is no field {name} on {self._of.name}")
        api_name = found.name
        return lambda row, _old: row.get(api_name)

    def negated(self, part: Formula) -> Formula:
        return _apply(operator.not_, part)

    def compared(self, one: Formula, comparison: lark.Token, other: Formula) -> Formula:
        return _apply(_COMPARISONS[comparison], one, other)

    def both(self, one: Formula, other: Formula) -> Formula:
        return _apply(lambda a, b: a and b, one, other)

    def either(self, one: Formula, other: Formula) -> Formula:
        return _apply(lambda a, b: a or b, one, other)

    def called(self, name: lark.Token, *parts: Formula) -> Formula:
        function = name.upper()
        if function == "ISNEW" and not parts:
            return lambda _row, old: old is None
        if function == "ISCHANGED" and len(parts) == 1:
            return lambda row, old: old is not None and parts[0](row, old) != parts[0](old, old)
        if function == "PRIORVALUE" and len(parts) == 1:
            return lambda row, old: parts[0](row if old is None else old, old)
        try:
            signature(_FUNCTIONS[function]).bind(*parts)
        except (KeyError, TypeError):
            raise _unclear(f"there is no function {name} of {len(parts)} arguments") from None
        return _apply(_FUNCTIONS[function], *parts)


def _constant(value: Any) -> Formula:
    return lambda _row, _old: value


def _apply(function: Callable[..., Any], *parts: Formula) -> Formula:
    return lambda row, old: function(*(part(row, old) for part in parts))
