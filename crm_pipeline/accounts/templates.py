"""Templates of mappings: a field's value made of columns, by four small rules. Pure.

Columns are joined, a day or time is written in a form, a value is looked up in a table, and where
nothing came of it there is a default: in this order, each of them where it is chosen. A template
is of one row; of several rows the newest of which it makes something counts, as of a column.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from crm_pipeline.text import digest, parts, seen

_MOST_ROWS = 10_000
_DIRECTIVE = re.compile("%(.?)", re.DOTALL)
_DIRECTIVES = "aAbBdHIjmMpSyY%"
"""Those of `strftime` that every platform has."""


def _as_text(said: Any) -> Any:
    """What YAML takes for a number or a truth value is text all the same."""
    return json.dumps(said) if isinstance(said, int) else said


AnyText = Annotated[str, BeforeValidator(_as_text)]
"""Text, which YAML may have read as a number or a truth value."""


class Rules(BaseModel):
    """The rules of a template, as people choose them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    separator: str | None = Field(
        default=None, max_length=20, description="Between several columns; a blank by default."
    )
    date_format: str | None = Field(
        default=None,
        description="How a day or time is written, as %d.%m.%Y; what is none of both says nothing.",
    )
    timezone: str | None = Field(
        default=None, description="Zone in which times are written, as Europe/Berlin; else UTC."
    )
    lookup: Mapping[AnyText, AnyText] | None = Field(
        default=None,
        min_length=1,
        max_length=_MOST_ROWS,
        description="A table: what a value becomes. Case and outer blanks do not count; a value "
        "that it does not have says nothing.",
    )
    default: AnyText | None = Field(
        default=None, description="The value where no row says anything, or nothing of use."
    )

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        if "\\u0000" in self.model_dump_json():
            raise ValueError("there is a character NUL, which no field takes")
        return self

    @field_validator("date_format")
    @classmethod
    def _writes_something(cls, chosen: str | None) -> str | None:
        used = _DIRECTIVE.findall(chosen or "")
        if chosen is not None and not set(used) - {"%"}:
            raise ValueError(f"{chosen!r} writes no part of a day or time, as %d.%m.%Y does")
        for letter in used:
            if not letter or letter not in _DIRECTIVES:
                raise ValueError(
                    f"{chosen!r}: there is no %{letter}; those that there are: "
                    f"{', '.join(f'%{each}' for each in _DIRECTIVES)}"
                )
        return chosen

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, chosen: str | None) -> str | None:
        try:
            return chosen and ZoneInfo(chosen).key
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{chosen!r} is no time zone, as Europe/Berlin is") from None

    @field_validator("lookup")
    @classmethod
    def _each_value_once(cls, table: Mapping[str, str] | None) -> Mapping[str, str] | None:
        known: dict[str, str] = {}
        for value in table or ():
            if not seen(value):
                raise ValueError("the table has a row for a blank value; `default` is for that")
            if (first := known.setdefault(_plain(value), value)) != value:
                raise ValueError(f"the table has two rows for one value: {first!r} and {value!r}")
        return table

    @field_validator("default")
    @classmethod
    def _says_something(cls, chosen: str | None) -> str | None:
        if chosen is not None and not seen(chosen):
            raise ValueError("the default is blank; without one, nothing is sent")
        return chosen


class Template(Rules):
    """A field's value made of columns. `str` describes it, shortly, and is another for another."""

    columns: tuple[str, ...] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.separator is not None and len(self.columns) == 1:
            raise ValueError("a separator stands between several columns, and there is one")
        if self.date_format is not None and len(self.columns) > 1:
            raise ValueError("a day or time is that of one column")
        if self.date_format is not None and self.lookup is not None:
            raise ValueError("a day or time is written in a form or looked up, not both")
        if self.timezone is not None and self.date_format is None:
            raise ValueError("a time zone belongs to a date_format")
        if any(not column.strip() for column in self.columns):
            raise ValueError("a column has no name")
        return self

    def __str__(self) -> str:
        return self._described

    @cached_property
    def fixed_values(self) -> tuple[str, ...]:
        """The values that it has itself, each once."""
        own = [*(self.lookup or {}).values(), *([] if self.default is None else [self.default])]
        return tuple(dict.fromkeys(each for each in own if seen(each)))

    def value(self, columns: Mapping[str, Any], timezone: str = "UTC") -> Any:
        """Returns what it makes of a row, without the default; None: nothing.

        Args:
            columns: what the row's columns say, as the ledger keeps it (`sources.mapping.said`).
            timezone: of times that carry none.
        """
        said = [columns[name] for name in self.columns if columns.get(name) is not None]
        if not said:
            return None
        if self.date_format is not None:
            return _in_form(said[0], self.date_format, timezone, self.timezone or "UTC")
        if self.lookup is not None:
            return self._looked_up(said)
        if len(self.columns) == 1:
            return said[0]
        return self._between.join(parts(said)) or None

    def misses(self, columns: Mapping[str, Any], timezone: str = "UTC") -> str | None:
        """Returns what a row says that it makes nothing of: no day or time, or not in its table.

        Args:
            columns: as in `value`.
            timezone: as in `value`.
        """
        said = [columns[name] for name in self.columns if columns.get(name) is not None]
        if self.lookup is not None:
            strange = [each for each in self._keys(said) if _plain(each) not in self._table]
            return strange[0] if strange else None
        if said and self.date_format is not None and self.value(columns, timezone) is None:
            return " ".join(parts(said))
        return None

    @property
    def _between(self) -> str:
        return " " if self.separator is None else self.separator

    @cached_property
    def _table(self) -> Mapping[str, str]:
        return {_plain(value): becomes for value, becomes in (self.lookup or {}).items()}

    @cached_property
    def _described(self) -> str:
        text = " + ".join(self.columns)
        if len(self.columns) > 1 and self._between != " ":
            text += f" with {self._between!r} between them"
        if self.date_format is not None:
            text += f" as {self.date_format!r}"
            text += f" in {self.timezone}" if self.timezone else ""
        if self.lookup is not None:
            rows = f"{len(self.lookup)} row{'s' if len(self.lookup) > 1 else ''}"
            text += f" by a table of {rows} ({digest(self.lookup).hex()[:8]})"
        return text if self.default is None else f"{text}, else {self.default!r}"

    def _keys(self, said: Sequence[Any]) -> list[str]:
        """What is looked up: of one column each of its values, of several what they make."""
        if len(self.columns) == 1:
            return parts(said)
        return [self._between.join(parts(said))]

    def _looked_up(self, said: Sequence[Any]) -> Any:
        found = [seen(self._table.get(_plain(each), "")) for each in self._keys(said)]
        known = [each for each in found if each]
        are_several = len(self.columns) == 1 and isinstance(said[0], list)
        return (known if are_several else known[0]) if known else None


def source_of(columns: Sequence[str], rules: Mapping[str, Any]) -> str | Template:
    """Returns what fills a field: a column as it is, or a template where there is any rule.

    Args:
        columns: one or several.
        rules: those that are chosen, by name, as of `Rules`.

    Raises:
        ValueError: these rules can never be; it says why.
    """
    chosen = {name: rule for name, rule in rules.items() if rule is not None}
    names = tuple(column.strip() for column in columns)
    if len(names) == 1 and not chosen:
        return names[0]
    try:
        return Template.model_validate({"columns": names, **chosen})
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {why}" if place else why) from None


class TemplateChoice(Rules):
    """A template as settings have it: spelt as in the mapping of `accounts/*.yaml`."""

    source: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="A column of the extract, or a list of several."
    )

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        self.made_of  # noqa: B018 - it refuses rules that do not go together
        return self

    @cached_property
    def made_of(self) -> str | Template:
        """The template, or the column where there is no rule."""
        columns = [self.source] if isinstance(self.source, str) else self.source
        return source_of(columns, self.model_dump(exclude={"source"}, exclude_none=True))


FieldSource = Annotated[
    Annotated[str, Tag("column")] | Annotated[TemplateChoice, Tag("template")],
    Discriminator(lambda said: "column" if isinstance(said, str) else "template"),
]
"""What fills a field by a setting: a column's name, or a template."""


def sources_of(chosen: Mapping[str, str | TemplateChoice]) -> dict[str, str | Template]:
    """Returns what fills each field of a setting, by field: a column, or a template."""
    return {name: said if isinstance(said, str) else said.made_of for name, said in chosen.items()}


def columns_of(chosen: Mapping[str, str | TemplateChoice]) -> frozenset[str]:
    """Returns the columns that the fields of a setting are made of."""
    made = sources_of(chosen).values()
    return frozenset(
        column
        for each in made
        for column in (each.columns if isinstance(each, Template) else (each,))
    )


def _plain(value: str) -> str:
    """A value as tables have it: without regard to case, and to how many blanks there are."""
    return " ".join(value.split()).casefold()


def _in_form(said: Any, form: str, written_in: str, shown_in: str) -> str | None:
    """Returns a day or time in a form; a day has no zone. None: it is neither."""
    if not isinstance(said, str):
        return None
    try:
        return date.fromisoformat(said).strftime(form)
    except ValueError:
        pass  # it may be a time
    try:
        at = datetime.fromisoformat(said)
        at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(written_in))
        return at.astimezone(UTC if shown_in == "UTC" else ZoneInfo(shown_in)).strftime(form)
    except (ValueError, OverflowError):
        return None
