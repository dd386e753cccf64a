"""Names in a SELECT: columns of its object and of the objects' parents."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from crm_pipeline.local_org.currencies import converted
from crm_pipeline.local_org.schema import Field, Row, make_field
from crm_pipeline.local_org.sharing import HIDDEN
from crm_pipeline.local_org.soql import FunctionCall, Name, Operand, SoqlError
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table

MAX_PARENTS = 5
SEE_DESCRIBE = "Please reference your WSDL or the describe call for the appropriate names."
Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A field, perhaps of a parent, or an aggregate; `read` takes a row (or a group of rows).

    `table` is the table whose index may answer for it: that of the rows themselves, or None.
    """

    label: str
    field: Field
    read: Callable[[Any], Any]
    table: Table | None = None

    def key(self) -> Callable[[Any], Any]:
        """A reader of what comparing and sorting go by: texts without their case."""
        read = self.read
        if self.field.is_text and not self.field.case_sensitive:

            def folded(row: Any) -> Any:
                value = read(row)
                return None if value is None else value.lower()

            return folded
        if self.field.type == "boolean":
            return lambda row: bool(read(row))
        return read

    def find(self, values: Iterable[Any]) -> set[str] | None:
        """The ids of the rows that hold one of these values, or None if no index knows."""
        name = self.field.name
        if self.table is None or not self.table.is_indexed(name):
            return None
        lookup = self.table.lookup
        return {record_id for value in values for record_id in lookup(name, value)}


def no_such_column(name: str, entity: str) -> str:
    """Returns Salesforce's words for a field that is not there, or hidden."""
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom "
        f"field, be sure to append the '__c' after the custom field name. {SEE_DESCRIBE}"
    )


def no_such_relationship(name: str, place: str, at: int) -> SoqlError:
    """The refusal of a relationship that is not there, or hidden."""
    message = (
        f"Didn't understand relationship '{name}' in {place}. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        f"{SEE_DESCRIBE}"
    )
    return SoqlError(message, at, "INVALID_FIELD" if place == "field path" else "INVALID_TYPE")


@cache
def undescribed_field(name: str, type_name: str) -> Field:
    """A field that no describe knows: the type of a polymorphic parent, a count, a sum."""
    return make_field({"name": name, "label": name, "type": type_name})


class Step:
    """One relationship on the way to a field: `follow` leads from a row to its parent's row."""

    def __init__(self, org: Org, reference: Field) -> None:
        self.name = reference.relationship_name or reference.name
        self.polymorphic = reference.is_polymorphic
        self.tables = [
            org.table(name) for name in reference.reference_to if name.lower() in org.tables
        ]
        by_prefix = {table.type.key_prefix: table for table in self.tables}
        held_in = reference.name

        hidden = HIDDEN[org]

        def follow(row: Row) -> Row | None:
            parent_id = row.get(held_in)
            table = by_prefix.get(parent_id[:3]) if parent_id else None
            if hidden and parent_id in hidden:
                return None
            return table.rows.get(parent_id) if table and parent_id else None

        self.follow = follow


class Source:
    """The scope of the names of a SELECT: the object after FROM and the way to its parents."""

    def __init__(self, org: Org, table: Table, alias: str | None) -> None:
        self.org = org
        self.table = table
        self._own_names = {table.type.name.lower(), (alias or "").lower()}

    def resolve(self, name: Name) -> tuple[list[Step], Column]:
        """The relationships to follow, and the column at their end, read from its own row.

        Raises:
            SoqlError: INVALID_FIELD for what is not there or hidden.
        """
        parts = list(name.parts)
        if len(parts) > 1 and parts[0].lower() in self._own_names:
            del parts[0]
        steps: list[Step] = []
        tables, polymorphic = [self.table], False
        for part in parts[:-1]:
            step = self._step(tables, part)
            if step is None or not step.tables or len(steps) == MAX_PARENTS:
                raise no_such_relationship(part, "field path", name.at)
            steps.append(step)
            tables, polymorphic = step.tables, step.polymorphic
        return steps, self._last(parts[-1], tables, polymorphic, name)

    def _step(self, tables: list[Table], part: str) -> Step | None:
        for table in tables:
            reference = table.type.relationships.get(part.lower())
            if reference and self.org.visible(table.type, reference.name):
                return Step(self.org, reference)
        return None

    def _last(self, part: str, tables: list[Table], polymorphic: bool, name: Name) -> Column:
        if polymorphic and part.lower() == "type":
            types = {table.type.key_prefix: table.type.name for table in tables}
            return Column(
                "Type", undescribed_field("Type", "string"), lambda row: types[row["Id"][:3]]
            )
        found = {table.type: self.org.visible(table.type, part) for table in tables}
        fields = [(of, each) for of, each in found.items() if each]
        if not fields:
            entity = "Name" if polymorphic else tables[0].type.name
            raise SoqlError(no_such_column(part, entity), name.at, "INVALID_FIELD")
        if not polymorphic:
            of, only = fields[0]
            table = tables[0] if tables[0] is self.table else None
            return Column(only.name, only, of.reader(only.name), table)
        queues = self.org.config.queue_owner_email
        readers = {
            of.key_prefix: of.reader(each.name)
            for of, each in fields
            if queues or (of.name, each.name) != ("Group", "Email")
        }

        def read(row: Row) -> Any:
            reader = readers.get(row["Id"][:3])
            return reader(row) if reader else None

        return Column(fields[0][1].name, fields[0][1], read)

    def column(self, operand: Operand) -> Column:
        """The column of a name, read from a row of FROM's object, parents and all."""
        if isinstance(operand, FunctionCall):
            raise SoqlError("unexpected token: '('", operand.at)
        return joined(*self.resolve(operand))


def in_currency(source: Source, name: Name, code: str) -> tuple[list[Step], Column]:
    """Resolves as `Source.resolve`, for amounts in a chosen currency, whatever their record's is.

    Raises:
        SoqlError: the field holds no amounts, or the org has only one currency.
    """
    rates = source.org.config.currencies
    steps, last = source.resolve(name)
    if last.field.type != "currency" or not rates:
        raise SoqlError(f"convertCurrency is not supported for the field {name}", name.at)

    def read(row: Any) -> Any:
        amount = last.read(row)
        return None if amount is None else converted(amount, row["CurrencyIsoCode"], code, rates)

    return steps, Column(last.label, last.field, read)


def joined(steps: list[Step], last: Column) -> Column:
    """A column at the end of a way to parents, read from the row where the way begins."""
    if not steps:
        return last
    follows = [step.follow for step in steps]

    def read(row: Row | None) -> Any:
        for follow in follows:
            row = follow(row) if row is not None else None
        return last.read(row) if row is not None else None

    label = ".".join([*(step.name for step in steps), last.label])
    return Column(label, last.field, read)
