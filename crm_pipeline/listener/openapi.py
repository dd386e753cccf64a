"""The listener's page of addresses, as OpenAPI 3.1."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

_PROBLEM = {
    "description": "Refused, with the reason (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_ACCEPTED = {
    "description": "Accepted, or accepted before: the same request",
    "headers": {"Location": {"schema": {"type": "string"}}},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
}
_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 80},
}
_FIND = {
    "name": "find",
    "in": "query",
    "required": True,
    "description": "The person's email address, percent-encoded",
    "schema": {"type": "string"},
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_OBJECT = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object"}}},
}
_ALWAYS = ("400", "401", "404", "405", "409", "413", "422", "429", "503")


def _operation(
    summary: str,
    *parameters: Mapping[str, Any],
    done: Mapping[str, Any],
    also: tuple[str, ...] = (),
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {**done, **dict.fromkeys((*_ALWAYS, *also), _PROBLEM)},
    }
    return said if body is None else {**said, "requestBody": body}


def _json(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {}}}}


_OPEN_DSR = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SubjectRequest"}}},
}
_SOAP = {"required": True, "content": {"text/xml": {"schema": {"type": "string"}}}}


@cache
def described() -> dict[str, Any]:
    """Returns the description."""
    paths: dict[str, Any] = {
        "/api/v1/userMacroListeners/{name}": {
            "post": _operation(
                "Start a listener's macro for a person",
                _NAME,
                _FIND,
                _IDEMPOTENCY,
                done={"202": _ACCEPTED},
            )
        },
        "/api/v1/externalSources/{name}": {
            "post": _operation(
                "Hand in feedback",
                _NAME,
                _IDEMPOTENCY,
                done={"202": _ACCEPTED},
                also=("415",),
                body=_OBJECT,
            )
        },
        "/api/v1/userData/{name}": {
            "post": _operation(
                "Store data with a user",
                _NAME,
                _FIND,
                _IDEMPOTENCY,
                done={"202": _ACCEPTED},
                also=("415",),
                body=_OBJECT,
            )
        },
        "/api/v1/outboundMessages/{key}/{name}": {
            "post": _operation(
                "Start a listener's macro by an outbound message of Salesforce",
                {**_NAME, "name": "key", "schema": {"type": "string", "minLength": 1}},
                _NAME,
                done={"200": {"description": "Acknowledged"}},
                also=("415",),
                body=_SOAP,
            )
        },
        "/requests": {
            "post": _operation(
                "Ask for an erasure as OpenDSR 2.0 does",
                done={"201": _json("Accepted")},
                also=("415",),
                body=_OPEN_DSR,
            )
        },
        "/requests/{id}": {
            "get": _operation(
                "Ask how a request stands",
                {**_NAME, "name": "id", "schema": {"type": "string", "format": "uuid"}},
                done={"200": _json("How it stands, with its receipt")},
            )
        },
        "/discovery": {"get": _operation("What of OpenDSR is spoken", done={"200": _json("It")})},
        "/health": {
            "get": {
                "summary": "Whether requests can be accepted",
                "security": [],
                "responses": {"200": _json("They can"), "405": _PROBLEM, "503": _PROBLEM},
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Requests from Salesforce", "version": version("crm_pipeline")},
        "security": [{"bearer": []}, {"header": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
            "schemas": {
                "Accepted": {
                    "type": "object",
                    "required": ["id", "status"],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "status": {"const": "accepted"},
                    },
                },
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "errors": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "field": {"type": "string"},
                                    "problem": {"type": "string"},
                                },
                            },
                        },
                    },
                },
                "SubjectRequest": {
                    "type": "object",
                    "required": [
                        "subject_request_id",
                        "subject_request_type",
                        "submitted_time",
                        "regulation",
                        "subject_identities",
                    ],
                    "properties": {
                        "subject_request_id": {"type": "string", "format": "uuid"},
                        "subject_request_type": {"enum": ["access", "portability", "erasure"]},
                        "submitted_time": {"type": "string", "format": "date-time"},
                        "regulation": {"enum": ["gdpr", "ccpa"]},
                        "subject_identities": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": [
                                    "identity_type",
                                    "identity_value",
                                    "identity_format",
                                ],
                                "properties": {
                                    "identity_type": {"type": "string"},
                                    "identity_value": {"type": "string"},
                                    "identity_format": {"enum": ["raw", "sha1", "md5", "sha256"]},
                                },
                            },
                        },
                        "status_callback_urls": {
                            "type": "array",
                            "items": {"type": "string"},
                        },
                    },
                },
            },
        },
    }
