"""Runs a SELECT: rows are found, sorted and rendered.

A `Select` is compiled once and then asked for its rows and for how a row looks as JSON; Bulk
queries ask for its columns instead.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from crm_pipeline.local_org.columns import (
    SEE_DESCRIBE,
    Column,
    Reader,
    Source,
    Step,
    in_currency,
    joined,
    no_such_relationship,
)
from crm_pipeline.local_org.conditions import Conditions
from crm_pipeline.local_org.currencies import currency_of
from crm_pipeline.local_org.grouping import Grouping
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.sharing import HIDDEN
from crm_pipeline.local_org.soql import (
    FunctionCall,
    InQuery,
    Name,
    Operand,
    Query,
    Selection,
    SoqlError,
    Sorting,
    parse,
)
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table

MAX_OFFSET = 2_000
MAX_LEVELS = 5


def select(
    org: Org,
    text: str,
    version: str,
    *,
    include_deleted: bool = False,
    user_id: str = "",
    in_milliseconds: bool = False,
) -> "Select":
    """Compiles a query; `version` (`59.0`) goes into the records' URLs.

    `convertCurrency()` gives the currency of the user. With `in_milliseconds` records show
    datetimes as milliseconds since 1970.

    Raises:
        SalesforceError: the query is wrong, in Salesforce's words and with the position.
    """
    try:
        return Select(
            org,
            parse(text),
            version,
            include_deleted=include_deleted,
            user_id=user_id,
            in_milliseconds=in_milliseconds,
        )
    except SoqlError as error:
        raise error.in_text(text) from None


class _Node:
    """The rendering of one level's records: keys in the order in which they were selected."""

    def __init__(self, version: str, tables: Sequence[Table], type_name: str) -> None:
        self.reads: dict[str, Reader] = {}
        self._version = version
        self._parents: dict[str, _Node] = {}
        self._type_name = type_name
        self._urls = {
            table.type.key_prefix: f"/services/data/v{version}/sobjects/{table.type.name}/"
            for table in tables
        }

    def render(self, row: Row) -> dict[str, Any]:
        record_id = row["Id"]
        url = self._urls[record_id[:3]] + record_id
        record: dict[str, Any] = {"attributes": {"type": self._type_name, "url": url}}
        for key, read in self.reads.items():
            record[key] = read(row)
        return record

    def parent(self, step: Step) -> "_Node":
        """The node of a parent, made when its first field is selected."""
        node = self._parents.get(step.name)
        if node is None:
            type_name = "Name" if step.polymorphic else step.tables[0].type.name
            node = self._parents[step.name] = _Node(self._version, step.tables, type_name)
            render, follow = node.render, step.follow
            self.reads[step.name] = lambda row: (parent := follow(row)) and render(parent)
        return node


class Select:
    """A compiled SELECT. `rows` runs it, `render` shows a row; `columns` are what Bulk shows."""

    def __init__(
        self,
        org: Org,
        query: Query,
        version: str,
        *,
        include_deleted: bool = False,
        user_id: str = "",
        in_milliseconds: bool = False,
        table: Table | None = None,
        level: int = 1,
        is_semi_join: bool = False,
    ) -> None:
        self.org = org
        self.query = query
        self.version = version
        self.table = table or _table_of(org, query.source)
        self.counts_only = query.counts_only
        self._include_deleted = include_deleted
        self._in_milliseconds = in_milliseconds
        self._source = Source(org, self.table, query.alias)
        self._node = _Node(version, [self.table], self.table.type.name)
        self.columns: list[Column] = []
        self.children: dict[str, tuple[str, Select]] = {}
        """By the relationship's name in lower case: its name, and what is selected of it."""
        self.grouping: Grouping | None = None
        self._level = level
        self._user_id = user_id
        self._inner = partial(
            Select, org, version=version, include_deleted=include_deleted, user_id=user_id
        )
        self._is_semi_join = is_semi_join
        if level > MAX_LEVELS:
            raise SoqlError(f"A query may have {MAX_LEVELS} levels at most", query.source.at)
        if query.all_rows:
            raise SoqlError("ALL ROWS not allowed in this context", query.source.at)
        if query.offset > MAX_OFFSET:
            raise SoqlError(
                f"Maximum SOQL offset allowed is {MAX_OFFSET}", code="NUMBER_OUTSIDE_VALID_RANGE"
            )
        if query.group_by or any(_aggregates(one.selected) for one in query.selections):
            if not self.counts_only:
                self.grouping = Grouping(self._source, query, self._conditions)
        else:
            for selection in query.selections:
                self._project(selection)
        self._where = (
            self._conditions(self._source.column).compile(query.where) if query.where else None
        )
        columns = self.grouping.column if self.grouping else self._source.column
        self._order = [(_sortable(columns(each.operand), each), each) for each in query.order_by]

    def render(self, row: Any) -> dict[str, Any]:
        """A record (or an AggregateResult) as the REST API returns it."""
        return self.grouping.render(row) if self.grouping else self._node.render(row)

    def long_texts(self) -> list[Column]:
        """The selected columns that may hold thousands of characters."""
        return [c for c in self.columns if c.field.type == "textarea" and c.field.length > 255]

    def rows(self, within: Iterable[str] | None = None) -> list[Any]:
        """Runs the query, over all rows or those of the given ids: rows, or groups of rows."""
        rows = self._matching(within)
        query = self.query
        if self.grouping:
            found: list[Any] = self.grouping.groups(rows)
        elif not self._order and query.limit is not None:
            return list(itertools.islice(rows, query.offset, query.offset + query.limit))
        else:
            found = list(rows)
        for key, sorting in reversed(self._order):
            _sort(found, key, sorting)
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    def _matching(self, within: Iterable[str] | None) -> Iterable[Row]:
        held, where = self.table.rows, self._where
        ids = within
        if where and where.ids is not None:
            ids = sorted(where.ids if ids is None else where.ids.intersection(ids))
        rows: Iterable[Row] = held.values() if ids is None else (held[each] for each in ids)
        hidden = HIDDEN[self.org]
        if hidden:
            rows = (row for row in rows if row["Id"] not in hidden)
        if not self._include_deleted:
            rows = (row for row in rows if not row["IsDeleted"])
        return filter(where.test, rows) if where else rows

    def _conditions(self, column: Callable[[Operand], Column]) -> Conditions:
        return Conditions(column, self._semi_join, self.org.now())

    def _semi_join(self, condition: InQuery, outer: Column) -> set[str]:
        inner = condition.query
        if self._is_semi_join:
            raise SoqlError("Nesting of semi join sub-selects is not supported", inner.source.at)
        selected = self._inner(inner, is_semi_join=True)
        if len(inner.selections) != 1 or len(selected.columns) != 1:
            raise SoqlError("A semi join sub-select selects exactly one field", inner.source.at)
        column = selected.columns[0]
        if not _objects(outer, self.table) & _objects(column, selected.table):
            raise SoqlError(
                f"The selected field '{column.label}' in the subquery and the left operand field "
                f"in the where expression in the outer query '{outer.label}' should point to "
                "the same object type",
                condition.operand.at,
            )
        return {column.read(row) for row in selected.rows()} - {None}

    def _project(self, selection: Selection) -> None:
        selected = selection.selected
        if isinstance(selected, Query):
            self._project_children(selected)
        elif isinstance(selected, Name):
            self._project_name(selected, selection.alias)
        elif selected.argument is not None:
            self._project_amount(selected.argument, selection.alias)

    def _project_name(self, name: Name, alias: str | None) -> None:
        if alias:
            raise SoqlError("only aggregate expressions use field aliasing", name.at)
        steps, last = self._source.resolve(name)
        self._show(steps, last, name)

    def _project_amount(self, name: Name, alias: str | None) -> None:
        """`convertCurrency(Amount)` stands under the field's name, or under an alias."""
        code = currency_of(self.org, self._user_id) if self.org.config.currencies else ""
        steps, last = in_currency(self._source, name, code)
        if alias is None:
            self._show(steps, last, name)
        else:
            self._show([], replace(joined(steps, last), label=alias), name)

    def _show(self, steps: list[Step], last: Column, name: Name) -> None:
        node = self._node
        for step in steps:
            node = node.parent(step)
        if last.label in node.reads:
            raise SoqlError(f"duplicate field selected: {name}", code="INVALID_FIELD")
        is_moment = self._in_milliseconds and last.field.type == "datetime"
        node.reads[last.label] = _milliseconds(last.read) if is_moment else last.read
        self.columns.append(joined(steps, last))

    def _project_children(self, query: Query) -> None:
        wanted = query.source.parts[-1]
        found = self.table.type.child(wanted)
        if found is None or not self.org.visible(found[0], found[1].name):
            raise no_such_relationship(wanted, "FROM part of query call", query.source.at)
        children, lookup = self.org.table(found[0].name), found[1]
        selected = self._inner(query, table=children, level=self._level + 1)
        if selected.grouping or selected.counts_only:
            raise SoqlError("Aggregate functions are not supported in subqueries", query.source.at)
        name, render, find = lookup.name, selected.render, children.lookup
        shown = lookup.child_relationship_name or wanted
        self.children[wanted.lower()] = shown, selected

        def read(row: Row) -> dict[str, Any] | None:
            records = list(map(render, selected.rows(find(name, row["Id"]))))
            size = len(records)
            return {"totalSize": size, "done": True, "records": records} if records else None

        self._node.reads[shown] = read


def _milliseconds(read: Reader) -> Reader:
    def since_1970(row: Row) -> int | None:
        text = read(row)
        return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)

    return since_1970


def _aggregates(selected: Operand | Query) -> bool:
    """Returns whether it makes a query one of groups; `convertCurrency()` does not."""
    if not isinstance(selected, FunctionCall):
        return False
    return selected.function != "CONVERTCURRENCY" or selected.argument is None


def _table_of(org: Org, source: Name) -> Table:
    if str(source).lower() in org.tables:
        table = org.table(str(source))
        if not table.type.describe["queryable"]:
            message = f"entity type {table.type.name} does not support query"
            raise SoqlError(message, source.at, "INVALID_TYPE_FOR_OPERATION")
        return table
    message = (
        f"sObject type '{source}' is not supported. If you are attempting to use a custom object, "
        f"be sure to append the '__c' after the entity name. {SEE_DESCRIBE}"
    )
    raise SoqlError(message, source.at, "INVALID_TYPE")


def _objects(column: Column, table: Table) -> set[str]:
    """The objects to which the ids of a column belong."""
    if column.field.type == "id":
        return {table.type.name}
    return set(column.field.reference_to)


def _sortable(column: Column, sorting: Sorting) -> Callable[[Any], Any]:
    if not column.field.sortable and not isinstance(sorting.operand, FunctionCall):
        raise SoqlError(
            f"field '{column.label}' can not be sorted in a query call", sorting.operand.at
        )
    return column.key()


def _sort(rows: list[Any], key: Callable[[Any], Any], sorting: Sorting) -> None:
    """Sorts in place; rows without a value come first unless NULLS LAST (Salesforce: ORDER BY)."""
    blank = [row for row in rows if key(row) is None]
    filled = [row for row in rows if key(row) is not None] if blank else list(rows)
    filled.sort(key=key, reverse=sorting.descending)
    rows[:] = filled + blank if sorting.nulls_last else blank + filled
