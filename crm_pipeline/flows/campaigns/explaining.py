"""Why a member has a status, and what other settings would make of it. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from crm_pipeline.accounts.stages import Stage
from crm_pipeline.flows.campaigns import rules, stages
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
    rows = [
        RowSaid(
            f"{'registration' if key.startswith('r') else 'attendance'}:{key[1:]}",
            word.session,
            word.stage,
            word.at,
        )
        for key, word in sorted(told.words.items(), key=lambda each: each[1].at)
    ]
    over = choices.over if "no_show" in choices.statuses else frozenset()
    sessions = stages.stages_of_sessions(told.words, over)
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
            return "an attendance; or the session's end, if others attended it"
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
    then = {each.natural_key: each for each in rules.derived_again(known, after)}
    counted: Counter[tuple[str, str, bool]] = Counter()
    for now in rules.derived_again(known, before):
        other = then[now.natural_key]
        responds = other.rejected_because is None and _responds(other.fields["stage"], after)
        did = now.rejected_because is None and _responds(now.fields["stage"], before)
        counted[_label(now), _label(other), responds and not did] += 1
    return counted


def _label(intent: Intent) -> str:
    return "none" if intent.rejected_because is not None else str(intent.fields["Status"])


def _responds(stage: Stage | None, choices: rules.Choices) -> bool:
    return stage is not None and choices.statuses[stage].has_responded
