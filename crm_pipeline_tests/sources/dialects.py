"""`make extracts`: the extracts of other dialects, made of PostgreSQL's (`sql/extract/`).

sqlglot translates the language. What no translation knows, as lists that come as JSON, is said here
once for each dialect (`WAYS`). What comes of it are files, `sql/extract/<dialect>/…`, to be read
there, or copied to EXTRACT_DIR and mended.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from sqlglot import Dialect, exp, parse_one

from crm_pipeline.settings import FILES, dialects_of_extracts

EXTRACTS = FILES / "sql/extract"

BY_HAND = frozenset(("one_snapshot",))
"""Extracts that each dialect has of its own."""


class Wording(exp.Expression):
    """A piece of a statement in a dialect's own words: a template, and what stands in it."""

    arg_types: ClassVar = {
        "template": True,
        "value": False,
        "key": False,
        "order": False,
        "type": False,
    }


WAYS: Mapping[str, Mapping[str, str]] = {
    # Nearly PostgreSQL: a statement is made only where one of these is in it.
    "duckdb": {
        "dialect": "duckdb",
        "json_array": "to_json(array_agg({value} ORDER BY {order}))",
        "json_array_of": ("to_json(array_agg({value} ORDER BY {order}) FILTER (WHERE {key}))"),
        "json_object": "json_object({value})",
        "json_objects": "json_group_object({key}, {value})",
    },
    "snowflake": {
        "dialect": "snowflake",
        "now": "CURRENT_TIMESTAMP()",
        "member": (
            "{value} IN (SELECT CAST(f.value AS {type}) "
            "FROM TABLE(FLATTEN(INPUT => PARSE_JSON({key}))) AS f)"
        ),
        # IN (SELECT …) stands in WHERE only.
        "member_day": "CONTAINS({key}, '\"' || TO_CHAR({value}, 'YYYY-MM-DD') || '\"')",
        "positions": "TABLE(FLATTEN(INPUT => PARSE_JSON({value}))) AS {key}",
        "beside": (
            "INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON({value}))) AS {key} "
            "ON keys.index = {key}.index"
        ),
        "nth": "CAST({key}.value AS {type})",
        "seconds": "DATE_PART(EPOCH_MICROSECOND, {value}) / 1000000",
        "greatest": "GREATEST_IGNORE_NULLS({value})",
        "least": "LEAST_IGNORE_NULLS({value})",
        "array": "ARRAY_AGG({value}) WITHIN GROUP (ORDER BY {order})",
        "json_array": "ARRAY_AGG({value}) WITHIN GROUP (ORDER BY {order})",
        "json_object": "OBJECT_CONSTRUCT_KEEP_NULL({value})",
        "json_objects": "OBJECT_AGG({key}, TO_VARIANT({value}))",
        "json": "PARSE_JSON({value})",
        "json_in_json": "{value}",
        "time_in_json": "TO_CHAR({value}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6TZH:TZM')",
        "text_in_array": "{value}",
    },
    "bigquery": {
        "dialect": "bigquery",
        "now": "CURRENT_TIMESTAMP()",
        "member": (
            "{value} IN (SELECT CAST(each AS {type}) FROM UNNEST(JSON_VALUE_ARRAY({key})) AS each)"
        ),
        "positions": "UNNEST(JSON_VALUE_ARRAY({value})) AS k WITH OFFSET AS n",
        "nth": "CAST(JSON_VALUE_ARRAY({value})[OFFSET(n)] AS {type})",
        "seconds": "CAST(UNIX_MICROS({value}) AS NUMERIC) / 1000000",
        # GREATEST is NULL here where one of many is.
        "greatest": "(SELECT MAX(each) FROM UNNEST([{value}]) AS each)",
        "least": "(SELECT MIN(each) FROM UNNEST([{value}]) AS each)",
        "array": "ARRAY_AGG({value} IGNORE NULLS ORDER BY {order})",
        "json_array": "TO_JSON(ARRAY_AGG({value} IGNORE NULLS ORDER BY {order}))",
        "json_object": "JSON_OBJECT({value})",
        "json_objects": (
            "JSON_OBJECT(ARRAY_AGG({key} ORDER BY {key}), ARRAY_AGG({value} ORDER BY {key}))"
        ),
        "json": "PARSE_JSON({value})",
        "json_in_json": "{value}",
        "time_in_json": "{value}",
        "text_in_array": "{value}",
    },
    "mssql": {
        "dialect": "tsql",
        "now": "SYSDATETIMEOFFSET()",
        "member": "{value} IN (SELECT f.value FROM OPENJSON({key}) WITH (value {type} '$') AS f)",
        "positions": "OPENJSON({value}) AS n",
        "nth": "CAST(JSON_VALUE({value}, '$[' + n.[key] + ']') AS {type})",
        "seconds": (
            "CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), "
            "{value}) AS DECIMAL(20, 0)) * 0.000001"
        ),
        "array": (
            "'[' + STRING_AGG(CAST({value} AS NVARCHAR(MAX)), ',') "
            "WITHIN GROUP (ORDER BY {order}) + ']'"
        ),
        "json_array": "'[' + STRING_AGG({value}, ',') WITHIN GROUP (ORDER BY {order}) + ']'",
        "json_object": "JSON_OBJECT({value})",
        "json_objects": (
            "'{{' + STRING_AGG('\"' + STRING_ESCAPE({key}, 'json') + '\":' + {value}, ',') + '}}'"
        ),
        "json": "{value}",
        "json_in_json": "JSON_QUERY({value})",
        "time_in_json": "CONVERT(NVARCHAR(40), {value}, 127)",
        "text_in_array": ("'\"' + STRING_ESCAPE(CAST({value} AS NVARCHAR(MAX)), 'json') + '\"'"),
    },
}
"""By the dialect's name in SQLAlchemy: its name in sqlglot, and how it says what follows."""

_TEXT = {"mssql": "NVARCHAR(4000)"}
"""What a text is of in a dialect whose own text has no end, or no letters beyond Latin."""

_RESERVED = {"snowflake": {"rows"}, "mssql": {"key"}}
"""Words that sqlglot does not know to be a dialect's own."""

_TOGETHER = "{value}"

_TIMES = ("since", "until")
"""Parameters that are times: some drivers send them as text."""


def translated(extract: str, dialect: str) -> str | None:
    """Returns an extract in the words of a dialect; None where PostgreSQL's own does for it.

    Args:
        extract: its name below `sql/extract/`.
        dialect: one of `WAYS`.
    """
    source = (EXTRACTS / f"{extract}.sql").read_text(encoding="utf-8")
    tree = cast("exp.Query", parse_one(source, dialect="postgres"))
    for node in tree.walk():
        node.pop_comments()
    way = _Way(dialect)
    tree = way.of(tree)
    if dialect == "duckdb" and tree.find(Wording) is None:
        return None
    up = "../" * (1 + extract.count("/"))
    return (
        f"-- Made of {up}{extract}.sql by `make extracts`: there it says what this is for, and\n"
        f"-- what it must give.\n{way.written(tree)}\n"
    )


class _Way:
    """The way of one dialect to say a statement of PostgreSQL."""

    def __init__(self, dialect: str) -> None:
        self._name, self._ways = dialect, WAYS[dialect]
        self._dialect = Dialect.get_or_raise(self._ways["dialect"])

    def of(self, tree: exp.Query) -> exp.Query:
        """Says what sqlglot does not translate in the dialect's own words."""
        if "positions" in self._ways:  # Else it has lists, filtered aggregates and laterals.
            tree = _without_lateral(tree)
            self._lists(tree)
            self._filters(tree)
            self._times_and_numbers(tree)
        self._json(tree)
        if "array" in self._ways:
            self._arrays(tree)
        self._nulls_last(tree)
        if self._name == "snowflake":  # What is quoted has its own case there.
            for identifier in tree.find_all(exp.Identifier):
                identifier.set("quoted", False)
        if self._name in _TEXT:
            for kind in list(tree.find_all(exp.DataType)):
                if kind.this == exp.DType.TEXT:
                    kind.replace(exp.DataType.build(_TEXT[self._name], dialect=self._dialect))
        return tree

    def written(self, tree: exp.Query) -> str:
        """The statement as text, its parameters written `:name`."""
        base = self._dialect.generator_class

        class Writer(base):  # type: ignore[misc, valid-type]
            RESERVED_KEYWORDS = base.RESERVED_KEYWORDS | _RESERVED.get(self._name, set())
            TRANSFORMS: ClassVar = {
                **base.TRANSFORMS,
                Wording: _filled,
                exp.Placeholder: lambda _, parameter: f":{parameter.name}",
            }

        writer = Writer(
            dialect=self._dialect, pretty=True, indent=4, pad=4, max_text_width=96, comments=False
        )
        return str(writer.generate(tree)).replace("\t", " ")

    def _say(self, way: str, **parts: Any) -> Wording:
        return Wording(template=self._ways[way], **parts)

    def _lists(self, tree: exp.Query) -> None:
        for select in list(tree.find_all(exp.Select)):
            lists = [each.this.this for each in select.selects if _is_list(each)]
            for alias, each in zip(select.selects, lists, strict=False):
                parts = {"value": each.this, "key": exp.to_identifier(each.this.name)}
                alias.set("this", self._say("nth", **parts, type=each.to.expressions[0]))
            if lists:
                select.set("from_", exp.From(this=self._questions([each.this for each in lists])))
        for equal in list(tree.find_all(exp.EQ)):
            if isinstance(equal.expression, exp.Any):
                # Of casts within each other the outer one says the type.
                of = next(equal.expression.find_all(exp.Cast)).to.expressions[0]
                day = of.this == exp.DType.DATE and "member_day" in self._ways
                parts = {"value": equal.this, "key": equal.find(exp.Placeholder), "type": of}
                equal.replace(self._say("member_day" if day else "member", **parts))
        for asked in list(tree.find_all(exp.Is)):
            if isinstance(asked.this, exp.Cast) and asked.this.is_type(exp.DType.ARRAY):
                given = asked.this.this
                asked.this.replace(exp.cast(given, "text") if self._name in _TEXT else given)

    def _questions(self, lists: list[exp.Expr]) -> Wording:
        """A row for each place in some lists of equal length."""
        ways = ["positions", *["beside"] * (len(lists) - 1 if "beside" in self._ways else 0)]
        said = [
            self._say(way, value=each.copy(), key=exp.to_identifier(each.name))
            for way, each in zip(ways, lists, strict=False)
        ]
        return Wording(template=_TOGETHER, value=said)

    def _filters(self, tree: exp.Query) -> None:
        for chosen in list(tree.find_all(exp.Filter)):
            aggregate, condition = chosen.this, chosen.expression.this
            if not _is_finite(condition):
                what = aggregate.this
                inner = what.this if isinstance(what, exp.Order) else what
                value = exp.Literal.number(1) if isinstance(inner, exp.Star) else inner.copy()
                inner.replace(exp.Case().when(condition, value))
            chosen.replace(aggregate)

    def _times_and_numbers(self, tree: exp.Query) -> None:
        for parameter in list(tree.find_all(exp.Placeholder)):
            if parameter.name in _TIMES and not isinstance(parameter.parent, exp.Cast):
                parameter.replace(exp.cast(parameter.copy(), "timestamptz"))
        for epoch in list(tree.find_all(exp.Extract)):
            of = epoch.expression
            times = [of.this, of.expression] if isinstance(of, exp.Sub) else [of]
            seconds = [self._say("seconds", value=time) for time in times]
            exact = exp.Sub(this=seconds[0], expression=seconds[1]) if times[1:] else seconds[0]
            # With the cast around it, which makes it exact in PostgreSQL.
            (epoch.find_ancestor(exp.Cast) or epoch).replace(exact)
        for case in list(tree.find_all(exp.Case)):
            [chosen, *_] = case.args["ifs"]
            if _is_finite(chosen.this):
                value, other = chosen.args["true"], case.args.get("default")
                case.replace(exp.func("COALESCE", value, other) if other else value)
        for now in list(tree.find_all(exp.CurrentTimestamp)):
            now.replace(self._say("now"))
        for most in list(tree.find_all(exp.Greatest, exp.Least)):
            if most.key in self._ways:
                most.replace(self._say(most.key, value=[most.this, *most.expressions]))

    def _json(self, tree: exp.Query) -> None:
        for typed in list(tree.find_all(exp.Cast)):
            if typed.to.this in (exp.DType.JSON, exp.DType.JSONB) and "json" in self._ways:
                way = "json" if isinstance(typed.this, exp.Literal) else "json_in_json"
                typed.replace(self._say(way, value=typed.this))
        for made in list(tree.find_all(exp.Anonymous)):
            if made.name in ("json_build_object", "jsonb_build_object"):
                made.replace(self._say("json_object", value=self._pairs(made.expressions)))
        for objects in list(tree.find_all(exp.JSONBObjectAgg)):
            parts = {"key": objects.this, "value": objects.expression}
            objects.replace(self._say("json_objects", **parts))
        for array in list(tree.find_all(exp.JSONArrayAgg)):
            ordered, chosen = array.this, array.parent
            parts = {"value": self._element(ordered.this, of_columns=True)}
            parts["order"] = ordered.expressions
            if isinstance(chosen, exp.Filter):
                parts["key"] = chosen.expression.this
                chosen.replace(self._say("json_array_of", **parts))
            else:
                array.replace(self._say("json_array", **parts))

    def _pairs(self, names_and_values: list[exp.Expr]) -> list[exp.Expr]:
        pairs = [self._in_json(each) for each in names_and_values]
        if self._name != "mssql":
            return pairs
        return [
            Wording(template="{key}: {value}", key=key, value=value)
            for key, value in zip(pairs[::2], pairs[1::2], strict=True)
        ]

    def _in_json(self, value: exp.Expr) -> exp.Expr:
        is_time = isinstance(value, exp.Cast) and value.is_type(exp.DType.TIMESTAMPTZ)
        return self._say("time_in_json", value=value) if is_time and "json" in self._ways else value

    def _element(self, value: exp.Expr, *, of_columns: bool) -> exp.Expr:
        """What becomes an element of an array, which is text in some dialects.

        Args:
            value: that, perhaps in the CASE of a filter.
            of_columns: whether a column that says no type is text, not a number.
        """
        if "text_in_array" not in self._ways:
            return value
        if isinstance(value, exp.Case):
            [chosen] = value.args["ifs"]
            chosen.set("true", self._element(chosen.args["true"].copy(), of_columns=of_columns))
            return value
        is_text = value.is_type(exp.DType.TIMESTAMPTZ, exp.DType.TEXT)
        if is_text or (of_columns and isinstance(value, exp.Column)):
            return self._say("text_in_array", value=self._in_json(value))
        return value

    def _arrays(self, tree: exp.Query) -> None:
        for each in list(tree.find_all(exp.ArrayAgg)):
            value = self._element(each.this.this, of_columns=False)
            each.replace(self._say("array", value=value, order=each.this.expressions))

    def _nulls_last(self, tree: exp.Query) -> None:
        """Rows without a time come last, as in PostgreSQL; nothing else is sorted that is NULL."""
        if self._dialect.NULL_ORDERING != "nulls_are_small":
            return
        last = {each.alias: each.this for each in tree.selects if isinstance(each, exp.Alias)}
        for each in tree.find_all(exp.Ordered):
            if each.this.name == "changed_at" and each.find_ancestor(exp.Select) is tree:
                if self._name == "mssql":  # In the CASE that it needs for it no alias may stand.
                    each.set("this", last.get(each.this.sql(), each.this).copy())
            else:
                each.set("nulls_first", not each.args.get("desc"))


def _is_finite(condition: exp.Expr) -> bool:
    """Whether it asks if a time is infinite, which no other dialect knows."""
    return isinstance(condition, exp.Anonymous) and condition.name == "isfinite"


def _is_list(selected: exp.Expr) -> bool:
    return isinstance(selected, exp.Alias) and isinstance(selected.this, exp.Explode)


def _filled(writer: Any, said: Wording) -> str:
    """A template with its parts written."""

    def written(part: Any) -> str:
        between = "\n    " if said.args.get("template") == _TOGETHER else ", "
        return between.join(map(writer.sql, part)) if isinstance(part, list) else writer.sql(part)

    parts = {name: written(part) for name, part in said.args.items() if name != "template"}
    return str(said.args["template"]).format_map(parts)


def _without_lateral(tree: exp.Query) -> exp.Query:
    """Joins questions with what was shipped, where PostgreSQL looks that up for each of them.

    A warehouse that reads whole columns does so once for all questions.
    """
    join = tree.find(exp.Join)
    if join is None or not isinstance(join.this, exp.Lateral):
        return tree
    arms = list(join.this.find_all(exp.Select))
    for arm in arms:
        where = arm.args["where"].this
        arm.set("where", None)
        arm.set("joins", [exp.Join(this=exp.to_table("asked AS w"), kind="INNER", on=where)])
        arm.set("expressions", [*map(exp.column, ("key", "source", "since"), "www"), *arm.selects])
    none = parse_one(
        "SELECT w.key, w.source, w.since, CAST(NULL AS timestamptz) AS shipped_at FROM asked AS w",
        dialect="postgres",
    )
    shipped = exp.union(none, join.this.this.this, distinct=False)
    asked = tree.args["from_"].this.this
    tree.set("joins", None)
    for each in tree.find_all(exp.Column):
        if each.table == "w" and each.find_ancestor(exp.Select) is tree:
            each.set("table", exp.to_identifier("shipped"))
    tree.set("from_", exp.From(this=exp.to_table("shipped")))
    return tree.with_("asked", as_=asked).with_("shipped", as_=shipped)


def statements() -> Iterator[tuple[Path, str]]:
    """Yields the files that are made, with what stands in them."""
    names = sorted(
        str(file.relative_to(EXTRACTS).with_suffix(""))
        for file in EXTRACTS.rglob("*.sql")
        if file.relative_to(EXTRACTS).parts[0] not in dialects_of_extracts()
    )
    for dialect in WAYS:
        for name in names:
            if name not in BY_HAND and (made := translated(name, dialect)) is not None:
                yield EXTRACTS / dialect / f"{name}.sql", made


def main() -> int:
    """Writes all of them, and takes away what is not made any more."""
    made = dict(statements())
    for dialect in WAYS:
        for file in (EXTRACTS / dialect).rglob("*.sql"):
            if file not in made and file.stem not in BY_HAND:
                file.unlink()
    for file, said in made.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
