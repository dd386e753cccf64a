"""The examiner of the small flow: what it promises, in plain code of its own."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Connection, text

from crm_pipeline.local_platform.inbox import ToldMessage
from crm_pipeline_tests.chaos.badge_rows import GONE
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.small_flow.badges import Badge

OPEN = ("pending", "failed", "in_flight", "exhausted")


@dataclass(frozen=True, slots=True)
class Message:
    """Messages that the platform was told, in the order of versions."""

    topic: str
    about: str
    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The source's badges, people's deeds, the org's records, and what the platform was told.

    Attributes:
        badges: at the source.
        deeds: of people to badges in the org, by number, in their order.
        org_badges: the org's records, deleted ones among them.
        org_lines: likewise.
        org_people: Leads and Contacts; one of them that lives is the person of the badges.
        messages: to the platform.
        queue: operations that are open, by natural key and state.
        leaves: whether badges that people delete are left deleted.
        gone: by number, after which deed the source had the badge no more for the last time.
    """

    badges: Sequence[Badge]
    deeds: Mapping[int, Sequence[Any]]
    org_badges: Sequence[Mapping[str, Any]]
    org_lines: Sequence[Mapping[str, Any]]
    org_people: Sequence[Mapping[str, Any]]
    messages: Sequence[Message]
    queue: Sequence[str]
    leaves: bool
    gone: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def gathered(
        cls,
        rows: Connection,
        badges: Sequence[Badge],
        deeds: Mapping[int, Sequence[Any]],
        org_badges: Collection[Mapping[str, Any]],
        org_lines: Collection[Mapping[str, Any]],
        org_people: Collection[Mapping[str, Any]],
        inbox: Sequence[ToldMessage] | None,
        *,
        leaves: bool,
    ) -> Self:
        """With the messages of the tables where there is no inbox, and the ledger's queue."""
        told: Iterable[Any] = (
            inbox
            if inbox is not None
            else rows.execute(
                text("SELECT topic, about, version, body FROM platform_inbox.message")
            )
        )
        queue = rows.execute(
            text(
                "SELECT natural_key || ' is ' || state AS said FROM crm.operation"
                " WHERE state = any(:open) ORDER BY operation_id"
            ),
            {"open": list(OPEN)},
        )
        messages = [
            Message(each.topic, each.about, each.version, each.body)
            for each in told
            # Of people is told what is made of them in the org, which is examined elsewhere.
            if each.about.startswith("badge:")
        ]
        return cls(
            badges,
            {n: [each for each in done if each.deed != GONE] for n, done in deeds.items()},
            list(org_badges),
            list(org_lines),
            list(org_people),
            sorted(messages, key=lambda each: each.version),
            [row.said for row in queue],
            leaves,
            {n: each.deed_id for n, done in deeds.items() for each in done if each.deed == GONE},
        )


def living(records: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Those that are not deleted."""
    return [each for each in records if not each["IsDeleted"]]


def examine(evidence: Evidence, *, at_rest: bool = True) -> Findings:
    """Breaches of the promise; unless at rest, only what may never be."""
    found = Findings()
    _twice(evidence, found)
    _told_of_what_people_did(evidence, found)
    if at_rest:
        _badges(evidence, found)
        _lines(evidence, found)
        _told_to_the_last(evidence, found)
        found.queued += evidence.queue
    return found


def _twice(evidence: Evidence, found: Findings) -> None:
    for key, records in (
        ("Badge_Key__c", evidence.org_badges),
        ("Line_Key__c", evidence.org_lines),
    ):
        times = Counter(each[key] for each in living(records))
        found.doubled += [f"{key} {of} is there {n} times" for of, n in times.items() if n > 1]
    keys = Counter((each.topic, each.about, each.version) for each in evidence.messages)
    found.doubled += [f"{key} is told {n} times" for key, n in keys.items() if n > 1]
    last: dict[tuple[str, str], Any] = {}
    for each in evidence.messages:
        if last.get((each.topic, each.about)) == each.body:
            found.doubled.append(f"{each.about} is told {each.body} again")
        last[each.topic, each.about] = each.body


def _told_of_what_people_did(evidence: Evidence, found: Findings) -> None:
    """The platform knows of the org only what people did, and in their order."""
    edits = [each for each in evidence.messages if each.topic == "badge_edits"]
    told = Counter(each.about for each in edits)
    for each in edits:
        number = int(each.about.removeprefix("badge:"))
        done = evidence.deeds.get(number, ())
        may_change = dict.fromkeys(("deleted", "undeleted", "erased"), "IsDeleted")
        may_change["edited"] = "Holder__c"
        if not {*each.body["changed"]} <= {may_change[deed.deed] for deed in done}:
            found.wrong.append(f"{each.about} is told {each.body}, and nobody did that")
        if each.body["gone"] and not _deleted(done):
            found.wrong.append(f"{each.about} is told as gone, and nobody deleted it")
    for about, number_of in told.items():
        if number_of > len(evidence.deeds.get(int(about.removeprefix("badge:")), ())):
            found.doubled.append(f"{about} is told {number_of} times, more often than people acted")


def _is_left_out(badge: Badge, deeds: Sequence[Any], *, leaves: bool) -> bool:
    """Returns whether people deleted it, and it is not to be made anew (yet)."""
    lives = [each for each in deeds if each.deed != "edited"]
    if not lives or lives[-1].deed == "undeleted":
        return False
    return leaves or badge.at <= lives[-1].at


def _deleted(deeds: Sequence[Any]) -> list[Any]:
    return [each for each in deeds if each.deed in ("deleted", "erased")]


def _holder(badge: Badge, deeds: Sequence[Any]) -> str:
    """The value that people wrote last, in the record that is there now, or the source's."""
    edits: list[str] = []
    in_bin: list[str] = []
    for each in deeds:
        match each.deed:
            case "edited":
                edits.append(each.holder)
            case "undeleted":
                edits = in_bin
            case _:
                in_bin, edits = edits, []
    return edits[-1] if edits else badge.holder


def _badges(evidence: Evidence, found: Findings) -> None:
    there = {each["Badge_Key__c"]: each for each in living(evidence.org_badges)}
    for badge in evidence.badges:
        record, deeds = there.pop(str(badge.number), None), evidence.deeds.get(badge.number, ())
        if badge.gone or _is_left_out(badge, deeds, leaves=evidence.leaves):
            if record is not None:
                found.wrong.append(f"badge {badge.number} is to be gone, and is there")
            continue
        if record is None:
            found.lost.append(f"badge {badge.number} is missing")
            continue
        # People's edits from before the source had it no more may have gone with it.
        later = [each for each in deeds if each.deed_id > evidence.gone.get(badge.number, 0)]
        wanted = {(badge.level, _holder(badge, each)) for each in (deeds, later)}
        is_so = (record["Level__c"], record["Holder__c"])
        if is_so not in wanted:
            found.wrong.append(f"badge {badge.number} is {is_so}, and not {wanted}")
        _belongs(badge, record, evidence.org_people, found)
    found.wrong += [f"badge {key} is nobody's" for key in there]


def _belongs(
    badge: Badge, record: Mapping[str, Any], people: Sequence[Mapping[str, Any]], found: Findings
) -> None:
    """Returns whether it leads to the one record that its person has now."""
    leads_to = {record.get("Lead__c"), record.get("Contact__c")} - {None}
    now = {each["Id"] for each in living(people) if not each.get("IsConverted")}
    if badge.person is not None and leads_to != now:
        found.wrong.append(f"badge {badge.number} belongs to {leads_to}, and not to {now}")
    if badge.person is None and leads_to:
        found.wrong.append(f"badge {badge.number} belongs to {leads_to}, and should to nobody")


def _lines(evidence: Evidence, found: Findings) -> None:
    ids = {each["Badge_Key__c"]: each["Id"] for each in living(evidence.org_badges)}
    there = {each["Line_Key__c"]: each for each in living(evidence.org_lines)}
    for badge in evidence.badges:
        deeds = evidence.deeds.get(badge.number, ())
        lines = {} if badge.gone else badge.lines
        for number, said in lines.items():
            record = there.pop(f"{badge.number}:{number}", None)
            if _is_left_out(badge, deeds, leaves=evidence.leaves):
                continue
            if record is None:
                found.lost.append(f"line {badge.number}:{number} is missing")
            elif (record["Text__c"], record["Badge__c"]) != (said, ids.get(str(badge.number))):
                found.wrong.append(f"line {badge.number}:{number} is {record}")
    found.wrong += [f"line {key} is nobody's" for key in there]


def _told_to_the_last(evidence: Evidence, found: Findings) -> None:
    current = {(each.topic, each.about): each.body for each in evidence.messages}
    for badge in evidence.badges:
        about, deeds = f"badge:{badge.number}", evidence.deeds.get(badge.number, ())
        if badge.told and not badge.gone:
            level = current.get(("badge_levels", about), {}).get("level")
            if level != badge.level:
                found.lost.append(f"{about}: the platform knows level {level}")
        if badge.gone or not deeds:
            # Records that we deleted are nothing to tell, whatever people did to them before.
            continue
        body = current.get(("badge_edits", about))
        if deeds[-1].deed == "undeleted":
            # Deleted and back between two looks, nothing has happened.
            if body is not None and body["gone"]:
                found.wrong.append(f"{about}: the platform takes it for deleted")
            continue
        left_out = _is_left_out(badge, deeds, leaves=evidence.leaves)
        if deeds[-1].deed == "erased" and not left_out:
            # Made anew before anybody missed it.
            continue
        if body is None:
            found.lost.append(f"{about}: the platform was told nothing")
        elif deeds[-1].deed == "edited" and body["Holder__c"] != deeds[-1].holder:
            found.lost.append(f"{about}: the platform was told {body}")
        elif deeds[-1].deed in ("deleted", "erased") and not body["gone"]:
            found.lost.append(f"{about}: the platform does not know that it is deleted")
