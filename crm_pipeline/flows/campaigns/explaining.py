"""Why a member has a status, and what other settings would make of it. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.stages import Stage
from crm_pipeline.flows.campaigns import rules, stages
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent


class RowSaid(NamedTuple):
    """A row of the platform and what it says: of which session, which stage, when (UTC, ISO)."""

    row: str
    session: int
    stage: str
    at: str


class Explained(NamedTuple):
    """A member's status, explained.

    Attributes:
        rows: what each row says.
        sessions: the stage of each session.
        rule: which of these is the event's, and why.
        wanted: the status that is sent; None: none.
        changes: what would change it.
    """

    rows: list[RowSaid]
    sessions: Mapping[int, str]
    rule: str
    wanted: str | None
    changes: str


def explained(said: Said, choices: rules.Choices) -> Explained:
    """Returns why a member has the status that is wanted of them.

    Args:
        said: the last version of the membership.
        choices: the account's, with the sessions that are over by now.
    """
    told = stages.remembered(said)
    brief = told.too_brief(choices.words.least_minutes)
    said_by: dict[str, tuple[int, str, str]] = {
        row: (word.session, f"{word.stage}, too brief" if row in brief else word.stage, word.at)
        for row, word in told.words.items()
    }
    rows = [
        RowSaid(f"{'registration' if row.startswith('r') else 'attendance'}:{row[1:]}", *each)
        for row, each in sorted({**said_by, **told.absent}.items(), key=lambda each: each[1][-1])
    ]
    sessions = rules.stages_there(told, choices)
    [now] = rules.derived_again({"member:0:0": said}, choices)
    stage = now.fields["stage"]
    if now.rejected_because is not None:
        rule = f"no status is sent: {now.rejected_because}"
    else:
        rule = f"{stage}: the first of the order ({', '.join(stages.ORDER)}) that a session gives"
    return Explained(rows, sessions, rule, now.fields["Status"], _changes(stage, told))


def _changes(stage: str | None, told: stages.Told) -> str:
    if told.unknown:
        words = ", ".join(sorted(set(told.unknown.values())))
        return f"a meaning for the status {words} (stage_of)"
    match stage:
        case "attended" | "follow_up_requested" | "attended_on_demand":
            return "the platform taking the attendance back"
        case "registered":
            return "an attendance; or that others were there, once the session is over"
        case "no_show":
            return "an attendance that is shipped late, or another registration"
        case "cancelled" | "declined" | "substituted":
            return "a new registration, or an attendance"
        case _:
            return "another word of the platform for one of the rows"


def moved(
    known: Mapping[str, Said], before: rules.Choices, after: rules.Choices
) -> Counter[tuple[str, str, bool]]:
    """Counts members by the status they have and the one that other settings would give them.

    Args:
        known: the last versions of memberships, by natural key.
        before: the account's choices.
        after: others, with the same sessions over.

    Returns:
        By from, to, and whether they would come to have responded by it.
    """
    now = {each.natural_key: each for each in rules.derived_again(known, before)}
    regrouped = of_grain(known, after.settings)
    then = {each.natural_key: each for each in rules.derived_again(regrouped, after)}
    counted: Counter[tuple[str, str, bool]] = Counter()
    for key in now.keys() | then.keys():
        was, becomes = now.get(key), then.get(key)
        responds = _responds(becomes, after) and not _responds(was, before)
        # Campaigns of a grain that is past stay as they are.
        counted[_label(was), _label(becomes or was), responds] += 1
    return counted


def of_grain(known: Mapping[str, Said], chosen: CampaignSettings) -> dict[str, Said]:
    """Memberships as they would be if campaigns were of what these settings say.

    Those of sessions are made of what is remembered of an event's, and the other way round.
    """
    there: dict[str, Said] = {}
    made: dict[str, Said] = {}
    for key, said in known.items():
        of_session = "campaign_key" in said.intent
        if chosen.of_sessions if of_session else chosen.of_events:
            there[key] = said
        others: list[tuple[str, Said]] = []
        if chosen.of_sessions and not of_session:
            others = _of_sessions(key, said)
        elif chosen.of_events and of_session:
            others = [_of_event(key, said)]
        for other, part in others:
            joined = stages.remembered(part).joined(stages.remembered(made.get(other)))
            made[other] = replace(part, memory=joined.memory)
    return made | there


def _of_sessions(key: str, said: Said) -> list[tuple[str, Said]]:
    told = stages.remembered(said)
    person = rules.person_of(key)
    made = []
    for session in {word.session for word in told.words.values()}:
        others = {row for row, word in told.words.items() if word.session != session}
        campaign = campaign_keys.of_session(session)
        intent = {**said.intent, "campaign_key": campaign, "stage": None}
        memory = told.without({*others, *told.unknown}).memory
        part = Said(said.as_of, intent, memory, was_sent=False)
        made.append((rules.member_key(campaign, person), part))
    return made


def _of_event(key: str, said: Said) -> tuple[str, Said]:
    intent = {name: each for name, each in said.intent.items() if name != "campaign_key"}
    of_event = rules.member_key(str(intent["event_id"]), rules.person_of(key))
    return of_event, Said(said.as_of, {**intent, "stage": None}, said.memory, was_sent=False)


def _label(intent: Intent | None) -> str:
    if intent is None or intent.rejected_because is not None:
        return "none"
    return str(intent.fields["Status"])


def _responds(intent: Intent | None, choices: rules.Choices) -> bool:
    if intent is None or intent.rejected_because is not None:
        return False
    stage: Stage | None = intent.fields["stage"]
    return stage is not None and choices.statuses[stage].has_responded
