"""Credentials for one org, in the three ways that an org may grant."""

from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

Text = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, Field(min_length=1)]


class _Credentials(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClientCredentials(_Credentials):
    """OAuth client credentials of a connected app with a Run-As user; needs the My Domain URL."""

    method: Literal["client_credentials"] = "client_credentials"
    client_id: Text
    client_secret: Secret


class JwtBearer(_Credentials):
    """OAuth JWT bearer: the app trusts the certificate of this private key (PEM)."""

    method: Literal["jwt"] = "jwt"
    client_id: Text
    username: Text
    private_key: Secret


class PasswordToken(_Credentials):
    """SOAP login with the user's name, password and security token: legacy, ends in 2027."""

    method: Literal["password"] = "password"
    username: Text
    password: Secret
    security_token: SecretStr = SecretStr("")


Credentials = Annotated[
    ClientCredentials | JwtBearer | PasswordToken, Field(discriminator="method")
]

_ADAPTER: TypeAdapter[ClientCredentials | JwtBearer | PasswordToken] = TypeAdapter(Credentials)


def to_json(credentials: Credentials) -> bytes:
    """The credentials with their secrets in clear: only to be encrypted at once."""
    return orjson.dumps(
        {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in credentials
        }
    )


def from_json(text: bytes | str) -> Credentials:
    """The credentials that `to_json` wrote.

    Raises:
        ValueError: the text holds no credentials; it names the fields, never their values.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        # A place is the method, where that is known, and the field.
        fields = sorted(
            {
                str(problem["loc"][1])
                if problem["loc"]
                else ("method" if problem["type"].startswith("union_tag") else "JSON")
                for problem in error.errors()
            }
        )
    raise ValueError(f"These are not credentials: check {', '.join(fields)}.")
