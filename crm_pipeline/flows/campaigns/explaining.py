"""Why a member has a status, and what other settings would make of it. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.stages import Stage
from crm_pipeline.flows.campaigns import rules, stages
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent


class RowSaid(NamedTuple):
    """A row of the platform and what it says: of which session, which stage, when (UTC, ISO).

    Of a row whose status word nobody has explained neither session nor time is remembered.
    """

    row: str
    session: int | None
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


def explained(said: Said, choices: rules.Choices, rejected: str | None = None) -> Explained:
    """Returns why a member has the status that is wanted of them.

    Args:
        said: the last version of the membership.
        choices: the account's, with the sessions that are over by now.
        rejected: why that version is not sent, if it is not.
    """
    told = stages.remembered(said)
    sessions = rules.stages_there(told, choices)
    [now] = rules.derived_again({"member:0:0": said}, choices)
    reason = rejected or now.rejected_because
    given = [*sessions.values(), *([told.before] if told.before else [])]
    if told.says_nothing(choices.words.least_minutes) and said.was_sent:
        # No row is left, or none was ever remembered: what was sent stays.
        stage, status = said.intent["stage"], said.intent["Status"]
    else:
        stage, status = now.fields["stage"], now.fields["Status"]
    if reason is not None:
        status, rule = None, f"no status is sent: {reason}"
    else:
        rule = _rule(stage, given)
    return Explained(_rows(told, choices), sessions, rule, status, _changes(stage, told, reason))


def _rows(told: stages.Told, choices: rules.Choices) -> list[RowSaid]:
    brief = told.too_brief(choices.words.least_minutes)
    said = [
        RowSaid(
            row, word.session, f"{word.stage}, too brief" if row in brief else word.stage, word.at
        )
        for row, word in told.words.items()
    ]
    said += [RowSaid(row, *none) for row, none in told.absent.items()]
    said += [RowSaid(row, None, f"{word!r}, held", "") for row, word in told.unknown.items()]
    return [
        each._replace(row=stages.row_name(each.row)) for each in sorted(said, key=lambda s: s.at)
    ]


def _rule(stage: str | None, given: Collection[str]) -> str:
    if stage in given:
        return f"{stage}: the first of the order ({', '.join(stages.ORDER)}) that a session gives"
    if stage == "cancelled" and "substituted" in given:
        return "cancelled: the account has no label for substituted"
    if given:
        return f"{stage} stays: the account has no label for {', '.join(sorted(set(given)))}"
    return f"{stage} stays: no row says anything else"


_ATTENDED = "the platform taking the attendance back"
_ENDED = "a new registration, or an attendance"

_CHANGED_BY: Mapping[str | None, str] = {
    rules.NOBODY: "a registration, or an attendance; or people putting them into the campaign",
    rules.NOT_LINKED: "a campaign for it: create_campaigns, or `crm-pipeline campaign link`",
    rules.NO_STATUS: "a label for the stage in the account's campaigns, or another word of a row",
    "attended": _ATTENDED,
    "attended_on_demand": _ATTENDED,
    "follow_up_requested": _ATTENDED,
    "registered": "an attendance; or that others were there, once the session is over",
    "no_show": "an attendance that is shipped late, or another registration",
    "cancelled": _ENDED,
    "declined": _ENDED,
    "substituted": _ENDED,
}
"""By the reason for which no status is sent, or by the stage."""


def _changes(stage: str | None, told: stages.Told, reason: str | None) -> str:
    if told.unknown:
        words = ", ".join(sorted(set(told.unknown.values())))
        return f"a meaning for the status {words} (stage_of)"
    otherwise = "another word of the platform for one of the rows"
    return _CHANGED_BY.get(reason if reason is not None else stage, otherwise)


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
