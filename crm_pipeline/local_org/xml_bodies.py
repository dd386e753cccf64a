"""XML that comes in, and answers in XML where they are asked for: `Accept: application/xml`."""

import re
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from crm_pipeline.local_org.bulk_csv import text
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.routing import Answer, Call, Route, json_object

_ROOTS = {
    "authorize": "OAuth",
    "create": "Result",
    "deleted": "GetDeletedResult",
    "describe": "DescribeSObject",
    "describe_global": "DescribeGlobal",
    "limits": "Limits",
    "login": "OAuth",
    "object_info": "SObject",
    "query": "QueryResult",
    "query_more": "QueryResult",
    "resources": "urls",
    "updated": "GetUpdatedResult",
    "upsert": "Result",
    "userinfo": "user",
}
"""The root element by the kind of route; that of a record is its object."""
_ITEMS = {200: ("Versions", "Version"), 300: ("Urls", "Url")}
"""The root and its elements by status, for a body that is a list; other statuses are errors."""
_JSON_ONLY = ("composite", "bulk2.")
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(body: bytes) -> ET.Element:
    """The root of a document. Raises ValueError for what is none, or has a document type."""
    if b"<!DOCTYPE" in body.replace(b"\0", b""):
        raise ValueError("a document type is not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314 - it has no document type
    except (ET.ParseError, LookupError) as error:
        raise ValueError(str(error)) from None


def record_of(call: Call) -> dict[str, Any]:
    """The fields of a record in a body, be that JSON or XML.

    XML has an element for each field, and within that of a relationship one for an external id.
    Raises JSON_PARSER_ERROR, XML_PARSER_ERROR or UNSUPPORTED_MEDIA_TYPE.
    """
    if call.value is not None or "xml" not in call.headers.get("content-type", "").lower():
        return json_object(call)
    try:
        root = parsed(call.body)
    except ValueError as error:
        raise SalesforceError(400, "XML_PARSER_ERROR", f"The body is no XML: {error}") from None
    return {_name(each): _value(each) for each in root}


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: ET.Element) -> Any:
    if element.get(_NIL) in ("true", "1"):
        return None
    return {_name(each): each.text or "" for each in element} or element.text or ""


def prefers_xml(call: Call) -> bool:
    """Returns whether a call of the REST API names XML as what it accepts, and no JSON as well."""
    accept = call.headers.get("accept", "").lower()
    if "xml" not in accept or not call.path.startswith("/services/data"):
        return False
    best: dict[bool, float] = {}
    for each in accept.split(","):
        media_range, *parameters = (part.strip() for part in each.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        weight = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0
        is_xml = media_range in ("application/xml", "text/xml")
        best[is_xml] = max(best.get(is_xml, 0.0), weight)
    return best.get(True, 0.0) > best.get(False, 0.0)


def refuse_unless_json(call: Call, route: Route) -> None:
    """Raises NOT_ACCEPTABLE (406) for XML that is wanted of a resource that speaks JSON only."""
    if route.kind.startswith(_JSON_ONLY) and prefers_xml(call):
        raise SalesforceError(
            406, "NOT_ACCEPTABLE", "The resource is available as application/json only"
        )


def in_xml(answer: Answer, route: Route | None) -> Answer:
    """The same answer in XML, if it has a body that would be JSON."""
    body, kind = answer.body, route.kind if route else ""
    if isinstance(body, list):
        root, item = _ITEMS.get(answer.status, ("Errors", "Error"))
        if kind.startswith("collections.") and answer.status == HTTPStatus.OK:
            root, item = "Results", "Result"
        inner = _element(root, {item: body})
    elif isinstance(body, dict):
        attributes = body.get("attributes")
        of = attributes.get("type") if isinstance(attributes, dict) else None
        inner = _element(of or _ROOTS.get(kind, "Result"), body)
    else:
        return answer
    inner = inner.replace(">", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">', 1)
    xml = f'<?xml version="1.0" encoding="UTF-8"?>{inner}'
    return Answer(answer.status, xml, answer.headers, "application/xml;charset=UTF-8")


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, dict):
        given = value.get("attributes")
        attributes = given if isinstance(given, dict) else {}
        told = "".join(f" {key}={quoteattr(str(each))}" for key, each in attributes.items())
        inner = (_element(key, each) for key, each in value.items() if each is not given)
        return f"<{name}{told}>{''.join(inner)}</{name}>"
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    return f"<{name}>{escape(_NOT_IN_XML.sub('', text(value)))}</{name}>"
