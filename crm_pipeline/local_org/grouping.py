"""GROUP BY, HAVING and the aggregate functions."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from crm_pipeline.local_org.columns import (
    Column,
    Source,
    in_currency,
    joined,
    undescribed_field,
)
from crm_pipeline.local_org.conditions import Conditions
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.soql import FunctionCall, Name, Operand, Query, SoqlError

MAX_GROUPS = 2_000
Group = list[Row]


class Grouping:
    """The groups of a SELECT: its columns read groups of rows."""

    def __init__(
        self,
        source: Source,
        query: Query,
        conditions: Callable[[Callable[[Operand], Column]], Conditions],
    ) -> None:
        self._source = source
        self._limit = query.limit
        self._grouped = {str(name).lower(): self._grouping_column(name) for name in query.group_by}
        self.columns: dict[str, tuple[Operand, Column]] = {}
        """The selected columns, by their names in the records."""
        unnamed = itertools.count()
        for selection in query.selections:
            selected = selection.selected
            if isinstance(selected, Query):
                raise SoqlError("unexpected token: 'SELECT'", selected.source.at)
            key = selection.alias or (
                f"expr{next(unnamed)}" if isinstance(selected, FunctionCall) else selected.parts[-1]
            )
            if key in self.columns:
                raise SoqlError(f"duplicate alias: {key}", selected.at)
            column = self.column(selected)
            if isinstance(selected, Name) and not selection.alias:
                key = column.field.name
            self.columns[key] = selected, column
        self._keys = [source.column(name).key() for name in query.group_by]
        self._having = conditions(self.column).compile(query.having) if query.having else None

    def column(self, operand: Operand) -> Column:
        """The column of a grouped field or of an aggregate; it reads a group."""
        if isinstance(operand, FunctionCall):
            return self._aggregate(operand)
        found = self._grouped.get(str(operand).lower())
        if found is None:
            self._source.column(operand)
            raise SoqlError(f"Field must be grouped or aggregated: {operand}", operand.at)
        return found

    def render(self, group: Group) -> dict[str, Any]:
        """An AggregateResult as the REST API returns it."""
        values = {key: column.read(group) for key, (_, column) in self.columns.items()}
        return {"attributes": {"type": "AggregateResult"}, **values}

    def groups(self, rows: Iterable[Row]) -> list[Group]:
        """The groups in the order in which they were met; without GROUP BY one, perhaps empty."""
        if not self._keys:
            return [list(rows)]
        found: dict[tuple[Any, ...], Group] = {}
        for row in rows:
            found.setdefault(tuple([key(row) for key in self._keys]), []).append(row)
        groups = list(found.values())
        if self._having:
            groups = [group for group in groups if self._having.test(group)]
        if min(len(groups), self._limit or len(groups)) > MAX_GROUPS:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results "
                "to a single batch"
            )
            raise SalesforceError(400, "EXCEEDED_ID_LIMIT", message)
        return groups

    def _grouping_column(self, name: Name) -> Column:
        column = self._source.column(name)
        if not column.field.groupable:
            raise SoqlError(f"field '{column.label}' can not be grouped in a query call", name.at)
        return Column(column.label, column.field, lambda group: column.read(group[0]))

    def _aggregate(self, call: FunctionCall) -> Column:
        if call.function not in _AGGREGATES or call.argument is None:
            raise SoqlError("unexpected token: '('", call.at)
        result_type, compute = _AGGREGATES[call.function]
        column = self._source.column(call.argument)
        of = column.field
        suits = {"int": True, "double": of.is_number, None: of.aggregatable}[result_type]
        if not suits or not of.filterable or of.type == "address":
            message = f"field {column.label} does not support aggregate operator {call.function}"
            raise SoqlError(message, call.at)
        currencies = self._source.org.config.currencies
        if of.type == "currency" and currencies and not call.function.startswith("COUNT"):
            # Salesforce: aggregated amounts are in the corporate currency.
            column = joined(*in_currency(self._source, call.argument, next(iter(currencies))))
        read = column.key() if call.function == "COUNT_DISTINCT" else column.read

        def value(group: Group) -> Any:
            return compute([value for row in group if (value := read(row)) is not None])

        shown = undescribed_field(call.function, result_type) if result_type else of
        return Column(call.function, shown, value)


_AGGREGATES: dict[str, tuple[str | None, Callable[[list[Any]], Any]]] = {
    "COUNT": ("int", len),
    "COUNT_DISTINCT": ("int", lambda values: len(set(values))),
    "SUM": ("double", lambda values: float(sum(values)) if values else None),
    "AVG": ("double", lambda values: sum(values) / len(values) if values else None),
    "MIN": (None, lambda values: min(values, default=None)),
    "MAX": (None, lambda values: max(values, default=None)),
}
"""The type of the result, unless it is the field's own, and the result of the values."""
