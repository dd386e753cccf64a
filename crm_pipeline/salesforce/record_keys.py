"""Keys that we make for records, as values of external-id fields of theirs."""

from hashlib import blake2b

from crm_pipeline.text import trimmed, utf16_length

KEY_LENGTH = 255
"""The length of a field for keys, in units of UTF-16."""


def fitting(key: str) -> str:
    """A key that fits its field, and is no other one there.

    A long one ends in a digest of all of it; so does one with blanks around it, which Salesforce
    takes off, and an empty one.
    """
    kept = key.strip()
    if kept and kept == key and utf16_length(key) <= KEY_LENGTH:
        return key
    digest = blake2b(key.encode(errors="replace"), digest_size=16).hexdigest()
    return f"{trimmed(kept, KEY_LENGTH - 33)}-{digest}"
