"""Credentials from a file, the environment, or a prompt; never from arguments.

Arguments are seen by everybody on the machine, and stay in the shell's history.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from crm_pipeline.salesforce.credentials import Credentials

_PREFIX = "SALESFORCE_"


class Method(StrEnum):
    """Ways to log in; the names of `crm_pipeline.salesforce.credentials`."""

    client_credentials = "client_credentials"
    jwt = "jwt"
    password = "password"  # noqa: S105


LoginMethod = Annotated[Method, typer.Option(help="How to log in, when no file says it.")]
CredentialsFile = Annotated[
    Path | None,
    typer.Option(
        help="YAML or JSON file with `method` and its fields. Without one they come from "
        "SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_USERNAME, "
        "SALESFORCE_PASSWORD, SALESFORCE_SECURITY_TOKEN, SALESFORCE_PRIVATE_KEY, each of which "
        "may end in _FILE or _COMMAND, as the secrets among the settings, or are asked for.",
        dir_okay=False,
    ),
]

_FIELDS = {
    Method.client_credentials: ("client_id", "client_secret"),
    Method.jwt: ("client_id", "username", "private_key"),
    Method.password: ("username", "password", "security_token"),
}
_SHOWN_WHEN_TYPED = frozenset(("client_id", "username"))
_MAY_BE_EMPTY = frozenset(("security_token",))


def credentials(file: Path | None, method: Method) -> "Credentials":
    """Credentials out of a file, where one is given; else of this method, asked for."""
    return _from_file(file, method) if file else _from_environment_or_prompt(method)


def _from_file(file: Path, method: Method) -> "Credentials":
    """Credentials out of a YAML or JSON file: `method`, where it is another one, and its fields.

    `private_key_file`, relative to the file, may stand for `private_key`.
    """
    import yaml

    try:
        # BaseLoader makes every value a text: a password may well look like a number.
        values = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError) as error:
        mistake(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.")
    except yaml.YAMLError:
        # The parser's words quote the file.
        mistake(f"{file} is neither YAML nor JSON.")
    if not isinstance(values, dict):
        mistake(f"{file} holds no credentials: it needs `method` ({_methods()}) and its fields.")
    values.setdefault("method", method.value)
    if "private_key_file" in values:
        values["private_key"] = _key_in(file.parent / str(values.pop("private_key_file")))
    return _checked(values, str(file))


def _from_environment_or_prompt(method: Method) -> "Credentials":
    """Each field from SALESFORCE_<FIELD>, from a file or command of it, or asked for."""
    values = {"method": method.value}
    for field in _FIELDS[method]:
        variable = f"{_PREFIX}{field.upper()}"
        values[field] = os.environ.get(variable) or _elsewhere(variable) or _asked(field, variable)
    return _checked(values, "What was given")


def _elsewhere(variable: str) -> str | None:
    from crm_pipeline.kept_elsewhere import fetched

    try:
        return fetched(variable, os.environ)
    except ValueError as error:
        mistake(f"{error}.")


def _asked(field: str, variable: str) -> str:
    label = field.replace("_", " ").capitalize()
    if field == "private_key":
        file = _prompt(f"{label} file (PEM)", f"{variable}_FILE")
        return _key_in(Path(file).expanduser())
    return _prompt(
        label,
        variable,
        hidden=field not in _SHOWN_WHEN_TYPED,
        default="" if field in _MAY_BE_EMPTY else None,
    )


def _prompt(label: str, variable: str, *, hidden: bool = False, default: str | None = None) -> str:
    try:
        answer: str = typer.prompt(label, hide_input=hidden, default=default, show_default=False)
    except typer.Abort:
        say()
        mistake(f"{label} is missing: type it, set {variable}, or give --credentials-file.")
    return answer


def _key_in(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError as error:
        mistake(f"The private key {file} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        mistake(f"{file} is not a private key in PEM: it holds characters other than ASCII.")


def _checked(values: dict[str, str], source: str) -> "Credentials":
    import orjson

    from crm_pipeline.salesforce.credentials import from_json

    try:
        return from_json(orjson.dumps(values))
    except ValueError as error:
        mistake(f"{source}: {error} Methods: {_methods()}.")


def _methods() -> str:
    return "; ".join(f"{method} with {', '.join(fields)}" for method, fields in _FIELDS.items())
