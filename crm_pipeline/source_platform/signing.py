"""Signatures of requests, as the Standard Webhooks specification has them.

The headers are `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`
(`v1,` and the base64 of an HMAC-SHA-256 over id, time and body, joined by full stops).
"""

import base64
import hmac
from collections.abc import Mapping

TOLERANCE_SECONDS = 300
"""How far a signature's time may be from the receiver's clock."""


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that vouch for a body; `timestamp` in seconds since 1970, UTC."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": _signature(secret, message_id, str(timestamp), body),
    }


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Returns whether a receiver who shares the secret may trust a request with these headers.

    Args:
        secret: the shared secret.
        headers: of the request, with lower-case names.
        body: of the request, as it came.
        now: seconds since 1970, UTC.
    """
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    expected = _signature(secret, headers.get("webhook-id", ""), timestamp, body)
    # Several signatures may stand side by side while a secret is being exchanged.
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    said = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), said, "sha256")).decode()
