"""Accounts as files: what an account chose, as YAML that people keep in git. Credentials are not.

A file says all of it: a setting, mapping, filter or session that it does not name is back to its
default, or gone, once the file is applied.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection

from crm_pipeline.accounts.account import (
    Account,
    AccountError,
    AccountSettings,
    checked_account_id,
    checked_login_url,
)
from crm_pipeline.accounts.store import (
    FieldMapping,
    check_filter,
    check_mapping,
    field_mappings,
    filter_strings,
    get_account,
    pushed_sessions,
)
from crm_pipeline.accounts.templates import AnyText, Rules, Template, source_of

_INT, _BOOL = "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool"
_STR, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


_LONGEST_ID = 18
"""Digits of an id, as PostgreSQL's bigint takes them."""


class _TwiceError(ValueError):
    """A name is there twice; it says which, and where."""


class _PlainLoader(yaml.SafeLoader):
    """YAML as people read it: 010, 12:30 and yes are text, and no name may be there twice.

    YAML 1.1 would make 8, 750 and true of these, and forget the first of two. A name is text,
    whatever it looks like: 1 and true would be the same one.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Returns a mapping.

        Raises:
            _TwiceError: a name is there twice.
        """
        names = set()
        for name, _ in node.value:
            if str(name.value) in names:
                raise _TwiceError(f"{name.value} is there twice (line {name.start_mark.line + 1})")
            names.add(str(name.value))
            if isinstance(name, yaml.ScalarNode) and name.tag != _MERGE:
                name.tag = _STR
        return super().construct_mapping(node, deep)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_INT, _BOOL)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(_INT, re.compile(r"-?(0|[1-9][0-9]*)\Z"), list("-0123456789"))
_PlainLoader.add_implicit_resolver(_BOOL, re.compile(r"(true|false)\Z"), list("tf"))


class FieldChoice(Rules):
    """What fills a field: a column of the extracts, what rules make of columns, or a constant."""

    source: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="A column of the extracts, or a list of several."
    )
    constant: AnyText | None = Field(default=None, description="The same value for everybody.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.source is None) == (self.constant is None):
            raise ValueError("one of source and constant is expected; null leaves the field out")
        if self.source is None and self._rules:
            raise ValueError(f"{next(iter(self._rules))} belongs to a source")
        self.made_of  # noqa: B018 - it refuses rules that do not go together
        return self

    @property
    def made_of(self) -> str | Template | None:
        """The column, or the template of columns, that fills the field."""
        if self.source is None:
            return None
        return source_of(
            [self.source] if isinstance(self.source, str) else self.source, self._rules
        )

    @property
    def _rules(self) -> dict[str, Any]:
        return self.model_dump(exclude={"source", "constant"}, exclude_none=True)


class AccountFile(BaseModel):
    """An account with all that it chose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: AnyText = Field(description="The account's id.")
    client: AnyText = Field(description="The warehouse's client_id.")
    name: AnyText = Field(description="What people call the client.")
    login_url: str = Field(description="The org's My Domain, as https://acme.my.salesforce.com.")
    settings: AccountSettings = Field(
        default=AccountSettings(), description="What is not said has its default."
    )
    mapping: Mapping[str, Mapping[str, FieldChoice | None]] = Field(
        default={}, description="Overrides by object and field; null: the field is not sent."
    )
    filters: tuple[AnyText, ...] = Field(
        default=(), description="Parts of email addresses that are not to reach Salesforce."
    )
    sessions: tuple[int, ...] = Field(
        default=(), description="Event sessions that are pushed; none: all of the account's."
    )

    @property
    def mappings(self) -> tuple[FieldMapping, ...]:
        """The overrides, in their order."""
        return tuple(
            FieldMapping(sobject, field, *((chosen.made_of, chosen.constant) if chosen else ()))
            for sobject, fields in self.mapping.items()
            for field, chosen in fields.items()
        )

    def with_mapping(self, mappings: Sequence[FieldMapping]) -> Self:
        """Returns the file with its overrides named otherwise.

        Args:
            mappings: objects and fields, in the order of `mappings`.
        """
        chosen = [choice for fields in self.mapping.values() for choice in fields.values()]
        named: dict[str, dict[str, FieldChoice | None]] = {}
        for each, choice in zip(mappings, chosen, strict=True):
            named.setdefault(each.sobject, {})[each.field] = choice
        return self.model_copy(update={"mapping": named})

    @classmethod
    def parse(cls, text: str, what: str) -> list[Self]:
        """Returns the accounts of a file, all that it says checked as the commands check it.

        Args:
            text: YAML, a document for each account, or JSON.
            what: the file, for people.

        Raises:
            AccountError: it is no such file, or a value is impossible; it says where.
        """
        said = _loaded(text, what)
        if not said or not all(isinstance(each, dict) for each in said):
            raise AccountError(f"{what} holds no account: it needs account, client, name, …")
        return [cls._parsed(values, what) for values in said]

    @classmethod
    def _parsed(cls, values: dict[str, Any], what: str) -> Self:
        """Returns an account, as `parse`."""
        settings = values.get("settings")
        if isinstance(settings, dict) and settings.get("start_at") == "now":
            raise AccountError(
                f"{what}: settings.start_at: now is another time whenever the file is applied; say "
                "a date, or a time."
            )
        try:
            file = cls.model_validate(values)
        except ValidationError as refused:
            first = refused.errors(include_url=False)[0]
            if first["loc"][:1] == ("settings",) and isinstance(values["settings"], dict):
                # It says it better.
                AccountSettings.parse(str(values.get("account")), values["settings"])
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            why = {"missing": "is missing", "extra_forbidden": "is nothing that a file has"}.get(
                first["type"], first["msg"].removeprefix("Value error, ")
            )
            raise AccountError(f"{what}: {place}: {why}.") from None
        checked_account_id(file.account)
        checked_login_url(file.account, file.login_url)
        names: set[tuple[str, str]] = set()
        for mapping in file.mappings:
            check_mapping(file.account, mapping)
            name = mapping.sobject, mapping.field.lower()
            if name in names:
                raise AccountError(
                    f"{what}: {mapping.sobject}.{mapping.field} is there twice: Salesforce knows "
                    "no case."
                )
            names.add(name)
        for filter_string in file.filters:
            check_filter(file.account, filter_string)
        return file

    def typed(self, part: "ListedPart") -> str:
        """Returns what of it is a list, as people type it for `with_part`."""
        if part == "mapping":
            chosen = yaml.safe_load(self.written()).get("mapping")
            return yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True) if chosen else ""
        return "\n".join(map(str, getattr(self, part)))

    def with_part(self, part: "ListedPart", text: str) -> Self:
        """Returns the file with one of its lists as it is typed.

        Args:
            part: which.
            text: YAML of objects and fields for the mapping; of the others one a line.

        Raises:
            AccountError: it is impossible; it says what of it.
        """
        what = f"The {part} of account {self.account}"
        lines = [each.strip() for each in text.splitlines() if each.strip()]
        said: object = lines
        if part == "mapping":
            said = next(iter(_loaded(text, what)), {})
            if not isinstance(said, dict):
                raise AccountError(
                    f"{what} is objects and their fields, such as Lead: {{Region__c: "
                    "{source: county}}."
                )
        elif part == "sessions":
            for each in lines:
                if not (each.isascii() and each.isdigit() and len(each) <= _LONGEST_ID):
                    raise AccountError(f"{what}: {each!r} is no id of a session.")
        return self._parsed({**yaml.safe_load(self.written()), part: said}, what)

    def written(self) -> str:
        """Returns it as YAML; what is not chosen is left out."""
        values = self.model_dump(mode="json", exclude_unset=True)
        kept = {name: value for name, value in values.items() if value}
        for fields in kept.get("mapping", {}).values():
            for field, chosen in fields.items():
                fields[field] = chosen and {k: v for k, v in chosen.items() if v is not None}
        return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)


def _loaded(text: str, what: str) -> list[Any]:
    """Returns the documents that a text has.

    Raises:
        AccountError: it is neither YAML nor JSON.
    """
    try:
        documents = list(yaml.load_all(text, _PlainLoader))
    except _TwiceError as error:
        raise AccountError(f"{what}: {error}.") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" (line {line + 1})"
        raise AccountError(f"{what} is neither YAML nor JSON{where}.") from None
    return [each for each in documents if each is not None]


ListedPart = Literal["mapping", "filters", "sessions"]
"""A part of an account that is a list of its own, and no setting."""

LISTED_PARTS: Sequence[ListedPart] = get_args(ListedPart)


def stored_file(connection: Connection, account_id: str) -> AccountFile:
    """Returns an account as a file.

    Raises:
        AccountError: there is none, or its stored settings are impossible.
    """
    account = get_account(connection, account_id)
    mapping: dict[str, dict[str, FieldChoice | None]] = {}
    for each in field_mappings(connection, account_id):
        mapping.setdefault(each.sobject, {})[each.field] = _choice(each)
    return AccountFile(
        account=account.account_id,
        client=account.client_id,
        name=account.name,
        login_url=account.login_url,
        settings=account.settings,
        mapping=mapping,
        filters=tuple(filter_strings(connection, account_id)),
        sessions=tuple(s.event_session_id for s in pushed_sessions(connection, account_id)),
    )


def _choice(mapping: FieldMapping) -> FieldChoice | None:
    if isinstance(mapping.source, Template):
        rules = mapping.source.model_dump(exclude={"columns"}, exclude_unset=True)
        columns = mapping.source.columns
        return FieldChoice(source=columns[0] if len(columns) == 1 else columns, **rules)
    if not mapping.is_filled:
        return None
    return FieldChoice(source=mapping.source, constant=mapping.constant)


PartOfAccount = Literal["account", "setting", "mapping", "filter", "session"]
"""A part of an account."""


@dataclass(frozen=True, slots=True)
class ChoiceChange:
    """A choice that a file has otherwise than the account, as people read it.

    Attributes:
        of: which part of the account it is.
        choice: its name.
        was: None where there is none yet; JSON for settings.
        becomes: None where there is to be none.
    """

    of: PartOfAccount
    choice: str
    was: str | None
    becomes: str | None


def differences(stored: AccountFile | None, wanted: AccountFile) -> list[ChoiceChange]:
    """Returns what is to change so that an account is as a file says; pure.

    Args:
        stored: the account as it is; None: it is not there yet.
        wanted: the file.
    """
    found = []
    before, after = _choices(stored), _choices(wanted)
    for of, choice in dict.fromkeys((*before, *after)):
        was, becomes = before.get((of, choice)), after.get((of, choice))
        if was != becomes:
            found.append(ChoiceChange(of, choice, was, becomes))
    return found


def _choices(file: AccountFile | None) -> dict[tuple[PartOfAccount, str], str]:
    if file is None:
        return {}
    choices: dict[tuple[PartOfAccount, str], str] = {
        ("account", "client"): file.client.strip(),
        ("account", "name"): file.name.strip(),
        ("account", "login_url"): file.login_url.strip().rstrip("/"),
    }
    settings: dict[str, Any] = file.settings.model_dump(mode="json", exclude_unset=True)
    chosen = {name: value for name, value in settings.items() if value is not None}
    choices |= {("setting", name): _typed(value) for name, value in chosen.items()}
    for each in file.mappings:
        choices["mapping", f"{each.sobject}.{each.field}"] = _origin(each)
    choices |= {("filter", each.strip()): "rejected" for each in file.filters}
    choices |= {("session", str(each)): "pushed" for each in file.sessions}
    return choices


def _typed(value: Any) -> str:
    """A setting as it can be typed: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _origin(mapping: FieldMapping) -> str:
    if mapping.source is not None:
        return f"{'column' if isinstance(mapping.source, str) else 'template'} {mapping.source}"
    return f"constant {mapping.constant}" if mapping.constant is not None else "nothing"


def new_account(file: AccountFile) -> Account:
    """Returns the draft that a file of an account that is not there yet makes."""
    return Account(
        file.account,
        file.client.strip(),
        file.name.strip(),
        file.login_url,
        False,
        file.settings,
        draft=True,
    )
