"""`crm-pipeline find`: what happened to a person, a row or a record."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import AccountId
from crm_pipeline.cli.databases import transaction
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_facts, print_table, say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.sources.mapping import FieldMap
    from crm_pipeline.stories.story import KnownPerson, Story


def find(
    account_id: AccountId,
    sought: Annotated[
        str,
        typer.Argument(
            metavar="WHOM",
            help="An email address, a phone number (+49…), a row of the platform "
            "(registration:4711) or the Id of a record (00Q…).",
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many moments, the newest; and things.")
    ] = 200,
) -> None:
    """Tell the story of a person, a row or a record: what was read, sent, answered, and is next.

    What it shows contains personal data. No org is called, and nothing is written.
    """
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.stories.looking import look_up
    from crm_pipeline.stories.subjects import NotSoughtError

    with transaction() as connection:
        account = get_account(connection, account_id)
        try:
            found = look_up(connection, account, sought)
        except NotSoughtError as error:
            mistake(str(error))
    story, unsent = found.story, found.unsent
    if found.unasked:
        say(f"The warehouse could not be asked: {found.unasked}.", err=True)
    if found.forgotten:
        say("Whoever has this address was removed on request; only that is kept of them.")
    elif found.is_empty:
        mistake(
            f"Account {account_id} knows nothing of {sought.strip()}, and no row of the warehouse "
            "was found."
        )
    _print_account(account)
    for person in story.people:
        _print_person(person)
    _print_fields(account, story)
    _print_story(story, limit)
    _say_how_far_back()
    if unsent:
        print_table(
            "Rows of the warehouse",
            ("row", "session", "why it is not sent"),
            [(row, session, why or "to be read by a cycle") for row, session, why in unsent],
            empty="",
        )


def _print_story(story: "Story", limit: int) -> None:
    if not story.moments:
        return
    print_table(
        "What happened",
        ("when", "about", "event", "detail"),
        [(each.at, each.about, each.event, each.detail) for each in story.moments[-limit:]],
        empty="",
    )
    print_table(
        "How it stands",
        ("about", "operation", "state", "record", "what comes next"),
        [
            (each.about, each.operation_id, each.state, each.record, each.comes_next)
            for each in story.outlooks[-limit:]
        ],
        empty="",
    )
    if len(story.moments) > limit:
        say(f"The newest {limit} of {len(story.moments)} moments; --limit shows more.")


def _say_how_far_back() -> None:
    from crm_pipeline.settings import settings

    replaced = settings().undo_days
    requests = max(settings().history_days, replaced)
    say(
        f"It reaches back {counted(requests, 'day')} of requests, refusals and candidates, "
        f"{counted(replaced, 'day')} of replaced values, to the beginning of all else; of whom was "
        "removed on request only that is kept."
    )


def _print_account(account: "Account") -> None:
    from crm_pipeline.cadence.standing import next_try, state_of
    from crm_pipeline.database.statements import statement

    with transaction() as connection:
        whose = {"account_ids": [account.account_id]}
        row = connection.execute(statement("operations/states"), whose).one()
    facts = [
        ("account", account.account_id),
        ("state", state_of(row)),
        ("reason", row.reason),
        ("next try", next_try(row)),
        ("records open as", f"{account.login_url.rstrip('/')}/<Id>"),
    ]
    print_facts((name, value) for name, value in facts if value is not None)


def _print_person(person: "KnownPerson") -> None:
    record = f"{person.sobject} {person.salesforce_id}" if person.salesforce_id else None
    facts = [
        ("address", person.address),
        ("said at", person.as_of),
        ("also known by", ", ".join(person.other_addresses) or None),
        ("ids", ", ".join(person.ids) or None),
        ("stands for both", person.successor),
        ("record", record or "none is known yet"),
        ("why this one", person.reason),
        ("found at", person.seen_at),
    ]
    told = [each for each in facts if each[1] is not None]
    print_table(f"Person {person.person_key}", ("what", "value"), told, empty="")


def _print_fields(account: "Account", story: "Story") -> None:
    """Prints what is wanted of each person's record, field by field, and where that comes from."""
    from crm_pipeline.accounts.store import field_mappings
    from crm_pipeline.accounts.templates import sources_of
    from crm_pipeline.flows.campaigns.rules import MEMBER, member_map
    from crm_pipeline.ledger.parts import UNSAID
    from crm_pipeline.sources.mapping import field_maps

    with transaction() as connection:
        overrides = field_mappings(connection, account.account_id)
    maps = field_maps(account.settings, overrides)
    _print_mapped(story, "activity", "Event", maps["Event"])
    _print_mapped(story, "member", MEMBER, member_map(overrides))
    attribution = account.settings.attribution
    made = sources_of(attribution.further_fields) if attribution else {}
    for version in story.latest:
        if version.kind != "person":
            continue
        sobject = version.sobject or "Lead"
        of_flows = {
            field: f"flow {flow}"
            for flow, part in version.intent.get("parts", {}).items()
            for field in part.get(sobject, {})
        } | made
        constants = dict.fromkeys(maps[sobject].constants, "constant")
        sources = {**of_flows, **constants, **maps[sobject].sources}
        wanted = (version.intent, *version.intent.get("parts", {}).values())
        for name in {name for part in wanted for name in part.get(UNSAID, ())}:
            mapped, _, field = name.partition(".")
            if mapped == sobject and field in sources:
                sources[field] = f"default, as nothing came of {sources[field]}"
        print_table(
            f"Fields of the {sobject} of person {version.person_key}",
            ("field", "value", "comes from"),
            [
                (name, value, sources.get(name, f"flow {version.flow}"))
                for name, value in version.intent.get(sobject, {}).items()
            ],
            empty="",
        )


def _print_mapped(story: "Story", kind: str, sobject: str, fields: "FieldMap") -> None:
    """Prints the mapped fields of activities or members; the flow makes the others."""
    from crm_pipeline.ledger.parts import UNSAID

    comes_from = {**dict.fromkeys(fields.constants, "constant"), **fields.sources}
    for version in story.latest:
        if version.kind != kind:
            continue
        unsaid = version.intent.get(UNSAID, ())
        values = version.intent.get("fields", version.intent)
        mapped = [
            (name, values[name], f"default, as nothing came of {of}" if name in unsaid else of)
            for name, of in comes_from.items()
            if name in values
        ]
        if mapped:
            title = f"Mapped fields of the {sobject} of {version.natural_key}"
            print_table(title, ("field", "value", "comes from"), mapped, empty="")
