"""Numbers of people for tests of rules, which know no ledger: one for each address."""

from collections.abc import Sequence

from crm_pipeline.ledger.people import Who
from crm_pipeline.sources.mapping import rejection
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import sightings


def people_of(rows: Sequence[Participation], filter_strings: Sequence[str] = ()) -> dict[Who, int]:
    """The people of rows, counted from 1 in the order of their addresses."""
    seen = sightings(row for row in rows if rejection(row, filter_strings) is None)
    numbers = {address: n for n, address in enumerate(sorted({s.address for s in seen}), start=1)}
    return {(s.source_person, s.address): numbers[s.address] for s in seen}
