"""Memberships: what rows, sessions that are over, vanished rows and absorbed people ask for.

Each function notes what it has seen of rows, within the caller's transaction.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.flows.campaigns import rules, stages
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.campaign_wishes import asked_for_people
from crm_pipeline.ledger.campaigns import Said, absorbed_members, latest_intents, wanted_people
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.member_rows import (
    MemberRow,
    memberships_of,
    note_memberships,
    vanished_rows,
)
from crm_pipeline.ledger.sessions import (
    members_of_sessions,
    note_attended,
    note_session_ends,
    sessions_over,
    sessions_to_derive,
    sessions_were_derived,
)
from crm_pipeline.sources.account_rows import AccountRows
from crm_pipeline.sources.mapping import field_maps, rejection
from crm_pipeline.sources.participations import Participation
from crm_pipeline.sources.people import who


def of_rows(
    of_account: AccountRows, choices: rules.Choices, rows: Sequence[Participation]
) -> list[Intent]:
    """The memberships that rows ask for, and those that they told of before and have left."""
    ledger, account_id = of_account.ledger, of_account.account_id
    filters = choices.filter_strings
    people = of_account.people([row for row in rows if rejection(row, filters) is None])
    told = rules.memberships(rows, choices, people)
    before = memberships_of(ledger, account_id, told) if told else {}
    told = {row: rules.with_former(each, before.get(row)) for row, each in told.items()}
    rows_say = (each for each in (*told.values(), *before.values()) if each is not None)
    keys = {key for each in rows_say for key in each.keys}
    known = latest_intents(ledger, account_id, keys) if keys else {}
    ends = rules.session_ends(rows, of_account.selection.timezone)
    if ends:
        note_session_ends(ledger, account_id, ends, choices.settings.grace)
    if brief := rules.brief_visits(rows, told, known, choices):
        told, before = _with_brief(ledger, account_id, brief, told, before)
    _note(ledger, account_id, told, before, also=ends)
    choices = _with_sessions(ledger, account_id, choices, known, ends)
    members = rules.member_intents(rows, choices, people, known, told)
    return _of_known_people(ledger, account_id, choices, members)


def _with_brief(
    ledger: Connection,
    account_id: str,
    brief: Mapping[str, bool],
    told: Mapping[str, MemberRow | None],
    before: Mapping[str, MemberRow],
) -> tuple[dict[str, MemberRow | None], dict[str, MemberRow]]:
    """What rows tell of now, and told of before, with brief visits that are enough by now or not.

    Somebody was at a session where their visits are enough together.
    """
    before = {**before, **memberships_of(ledger, account_id, brief.keys() - before.keys())}
    rows: dict[str, MemberRow | None] = {**before, **told}
    now = {
        row: member._replace(attended=is_enough)
        for row, is_enough in brief.items()
        if (member := rows.get(row)) is not None
    }
    return {**told, **now}, before


def _note(
    ledger: Connection,
    account_id: str,
    told: Mapping[str, MemberRow | None],
    before: Mapping[str, MemberRow],
    also: Collection[int] = (),
) -> None:
    """Notes what rows tell of now, and whether anybody was at their sessions."""
    changed = {row: each for row, each in told.items() if before.get(row) != each}
    note_memberships(ledger, account_id, changed)
    rows = [*changed.values(), *(before[row] for row in changed.keys() & before.keys())]
    sessions = {each.session for each in rows if each is not None and each.session is not None}
    if sessions or also:
        note_attended(ledger, account_id, sessions.union(also))


def _with_sessions(
    ledger: Connection,
    account_id: str,
    choices: rules.Choices,
    known: Mapping[str, Said],
    sessions: Iterable[int],
) -> rules.Choices:
    """The choices, with those sessions of rows and of known members that are over by now."""
    asked = {
        word.session for said in known.values() for word in stages.remembered(said).words.values()
    }
    asked.update(sessions)
    over = sessions_over(ledger, account_id, asked, choices.settings.grace)
    return replace(choices, over=over)


def _of_known_people(
    ledger: Connection, account_id: str, choices: rules.Choices, members: Sequence[Intent]
) -> list[Intent]:
    """The memberships; of those who only wait, or were asked, only people whom the org has."""
    unknown = _unknown(ledger, account_id, choices, members)
    if not unknown:
        return list(members)
    unknown -= asked_for_people(ledger, account_id, unknown)
    return [
        rules.refused(each)
        if each.person_key in unknown and rules.makes_nobody(each, choices)
        else each
        for each in members
    ]


def _unknown(
    ledger: Connection, account_id: str, choices: rules.Choices, members: Sequence[Intent]
) -> set[int]:
    """Those who only wait, or were asked, and whose record was never asked for."""
    doubtful = {
        each.person_key
        for each in members
        if each.person_key is not None and rules.makes_nobody(each, choices)
    }
    return doubtful and doubtful - wanted_people(ledger, account_id, doubtful)


def people_asked_for(
    of_account: AccountRows,
    choices: rules.Choices,
    rows: Sequence[Participation],
    members: Sequence[Intent],
) -> list[Intent]:
    """The people of members who only wait and whom somebody had put into a campaign.

    They are in the org, and are to be found there.

    Args:
        of_account: the rows of the account.
        choices: its choices.
        rows: what the members were made of.
        members: by `of_rows`.
    """
    unknown = _unknown(of_account.ledger, of_account.account_id, choices, members)
    if not unknown:
        return []
    sent = [row for row in rows if rejection(row, choices.filter_strings) is None]
    keys = of_account.people(sent)
    maps = field_maps(
        of_account.account.settings, of_account.overrides, of_account.selection.timezone
    )
    newest = {
        person: row
        for row in sorted(sent, key=lambda row: row.changed_at)
        if (person := keys[who(row)]) in unknown
    }
    return [
        Intent(
            f"person:{person}",
            "person",
            person,
            row.changed_at,
            {s: maps[s].of_the_only_row(row.columns) for s in ("Lead", "Contact")},
        )
        for person, row in newest.items()
    ]


def of_sessions_over(of_account: AccountRows, choices: rules.Choices) -> Iterator[list[Intent]]:
    """The memberships of sessions that have come to be over since, or are so no more."""
    ledger, account_id = of_account.ledger, of_account.account_id
    sessions = sessions_to_derive(ledger, account_id)
    if not sessions:
        return
    keys = members_of_sessions(ledger, account_id, sessions.keys())
    for start in range(0, len(keys), of_account.selection.chunk_rows):
        part = keys[start : start + of_account.selection.chunk_rows]
        known = latest_intents(ledger, account_id, part)
        others = _with_sessions(ledger, account_id, choices, known, ()).over - sessions.keys()
        over = others.union(session for session, is_over in sessions.items() if is_over)
        by_now = replace(choices, over=over)
        yield _of_known_people(ledger, account_id, by_now, rules.derived_again(known, by_now))
    sessions_were_derived(ledger, account_id, sessions)


def of_vanished_rows(ledger: Connection, account: Account, choices: rules.Choices) -> list[Intent]:
    """The memberships that told of rows which are not in the warehouse any more."""
    account_id = account.account_id
    before = vanished_rows(ledger, account_id)
    if not before:
        return []
    told: dict[str, MemberRow | None] = dict.fromkeys(before)
    known = latest_intents(
        ledger, account_id, {key for each in before.values() for key in each.keys}
    )
    noted = told, before
    if brief := rules.brief_visits((), told, known, choices):
        noted = _with_brief(ledger, account_id, brief, told, before)
    _note(ledger, account_id, *noted)
    by_now = _with_sessions(ledger, account_id, choices, known, ())
    return rules.member_intents((), by_now, {}, known, told)


def of_absorbed_people(
    ledger: Connection, account: Account, choices: rules.Choices
) -> list[Intent]:
    """Returns the unsent memberships of absorbed people, as memberships of their successors."""
    account_id = account.account_id
    members: dict[str, Intent] = {}
    for person_key, former in absorbed_members(ledger, account_id):
        key = rules.member_key(campaign_keys.key_of(former.intent), person_key)
        known = latest_intents(ledger, account_id, [key]).get(key)
        if (earlier := members.get(key)) is not None:
            known = Said(earlier.as_of, earlier.fields, earlier.memory)
        both = {"former": former} if known is None else {"former": former, "known": known}
        by_now = _with_sessions(ledger, account_id, choices, both, ())
        members[key] = rules.inherited(former, known, person_key, by_now)
        rows = memberships_of(ledger, account_id, stages.remembered(former).rows)
        moved = {
            row: each._replace(of_session=key)
            if "campaign_key" in former.intent
            else each._replace(natural_key=key)
            for row, each in rows.items()
        }
        note_memberships(ledger, account_id, moved)
    return list(members.values())
