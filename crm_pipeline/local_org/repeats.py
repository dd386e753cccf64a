"""Records of one request, or of one chunk of a job, that name the same record twice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_pipeline.local_org.errors import RowError, RowFailure
from crm_pipeline.local_org.external_ids import ignores_case, value_of
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.values import NotDeserialized
from crm_pipeline.local_org.writers import Writer, writer_of


def refused_as_repeated(
    org: Org,
    operation: str,
    sobject: str,
    external_field: Field | None,
    records: Sequence[Mapping[str, Any] | RowError],
) -> dict[int, RowError]:
    """Finds the records of one chunk that name the same record twice: place to refusal.

    Salesforce refuses every record with an external id that is there twice; of those with the
    same id it refuses all but one, and the org's `repeated_id_saves` says which.
    """
    if operation not in ("update", "upsert"):
        return {}
    name = external_field.name if external_field else "Id"
    key = _identity(writer_of(org, org.table(sobject), sees_all=False), external_field)
    places: dict[Any, list[int]] = {}
    for place, record in enumerate(records):
        value = None if isinstance(record, RowError) else key(value_of(record, name))
        if value is not None:
            places.setdefault(value, []).append(place)
    if len(places) == len(records):
        return {}
    is_id = external_field is None or external_field.type == "id"
    kind = "id" if is_id else "external id"
    saved = {"first": slice(1, None), "last": slice(0, -1), "none": slice(None)}
    refused = saved[org.config.repeated_id_saves if is_id else "none"]
    return {
        place: RowError(
            "DUPLICATE_VALUE" if is_id else org.config.repeated_external_id_error,
            f"Duplicate {kind} specified: {value_of(record, name)}",
            (name,),
        )
        for several in places.values()
        if len(several) > 1
        for place in several[refused]
        if not isinstance(record := records[place], RowError)
    }


def _identity(writer: Writer, external_field: Field | None) -> Callable[[Any], Any]:
    """Returns a function from a record's value to the record it names, or None if it names none."""
    if external_field is None or external_field.type == "id":
        return lambda value: long_id(value.strip()) if isinstance(value, str) else None
    read, folds = writer.columns[external_field.name.lower()].read, ignores_case(external_field)

    def key(value: Any) -> Any:
        try:
            found = read(value)
        except (NotDeserialized, RowFailure):
            return None
        return found.lower() if folds and isinstance(found, str) else found

    return key
