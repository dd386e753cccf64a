"""The examiner of all that webinars tell: facts of the org, and those that are to be. Pure.

A fact is what one record says of one thing; each is there once, as it is to be.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from crm_pipeline_tests.chaos.findings import Findings


class Fact(NamedTuple):
    """What is so in the org: the kind of record, whose it is, and what it says."""

    kind: str
    whose: str
    says: tuple[Any, ...]


def examine_facts(there: Iterable[Fact], wanted: Iterable[Fact]) -> Findings:
    """Returns what is lost, there twice or otherwise, or there though nobody wants it."""
    have, should = _by_thing(there), _by_thing(wanted)
    found = Findings()
    for thing in should.keys() | have.keys():
        is_so, ought = have.get(thing, []), should.get(thing, [])
        name = " of ".join(thing)
        if len(is_so) < len(ought):
            found.lost.append(f"{name}: {len(is_so)} of {len(ought)}")
        elif not ought:
            found.wrong.append(f"{name} is not to be there: {is_so}")
        elif len(is_so) > len(ought):
            found.doubled.append(f"{name}: {len(is_so)} of {len(ought)}")
        elif is_so != ought:
            found.wrong.append(f"{name} is {is_so}, and not {ought}")
    return found


def _by_thing(facts: Iterable[Fact]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    found: defaultdict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for each in facts:
        found[each.kind, each.whose].append(each.says)
    return {thing: sorted(says, key=repr) for thing, says in found.items()}
