"""People: finding somebody, and their story. Whom somebody saw is noted by the person's number."""

from collections.abc import Iterator
from http import HTTPStatus

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order, PageAddress, PageQuestion
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.paging import number
from crm_pipeline.console.parts import (
    Button,
    ConsolePage,
    Facts,
    Field,
    Form,
    Link,
    Note,
    PagePart,
    PageTable,
)
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.stories.looking import Finding, look_up, look_up_person
from crm_pipeline.stories.story import KnownPerson, Story
from crm_pipeline.stories.subjects import NotSoughtError

_MOMENTS = 200
"""Of a story the newest are shown; CSV has all."""


def form(asked: PageQuestion) -> ConsolePage:
    """Asks whom to look for."""
    return ConsolePage("Find", [_form(asked.query.get("account", ""))], "Find")


def _form(account_id: str) -> Form:
    return Form(
        "/find",
        [
            Field("account", "Account", account_id, required=True),
            Field(
                "whom",
                "Email address, phone number (+49…), row (registration:4711) or record Id",
                required=True,
            ),
        ],
        [Button("Find")],
        method="post",
    )


def find(order: Order) -> ActionDone:
    """Keeps what is looked for out of the page's address, which proxies and browsers keep."""
    account_id, whom = order.said("account"), order.said("whom")
    if not account_id or not whom:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say the account, and whom to look for.")
    with order.databases.reading() as connection:
        get_account(connection, account_id)
    return ActionDone("", f"/accounts/{account_id}/found/{order.session.seek(whom)}")


def found(asked: PageQuestion) -> ConsolePage:
    """The story of whom somebody looks for."""
    account_id = asked.path["account_id"]
    whom = asked.session.sought.get(asked.path["number"])
    if whom is None:
        raise ConsoleError(HTTPStatus.NOT_FOUND, "That search is over: look for them again.")
    account = get_account(asked.connection, account_id)
    try:
        finding = look_up(asked.connection, account, whom)
    except NotSoughtError as error:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, str(error)) from None
    return _told(asked, account, finding, f"{whom}, as {account_id} knows them")


def person(asked: PageQuestion) -> ConsolePage:
    """The story of a person, by their number."""
    account = get_account(asked.connection, asked.path["account_id"])
    person_key = number(asked.path["person_key"]) or 0
    finding = look_up_person(asked.connection, account, person_key)
    if not finding.story.people:
        raise ConsoleError(
            HTTPStatus.NOT_FOUND, f"Account {account.account_id} knows no person {person_key}."
        )
    return _told(asked, account, finding, f"Person {person_key} of {account.account_id}")


def _told(asked: PageQuestion, account: Account, finding: Finding, title: str) -> ConsolePage:
    asked.account_id = account.account_id
    asked.looked_at |= {each.person_key for each in finding.story.people}
    asked.looked_at |= {
        each.person_key for each in finding.story.latest if each.person_key is not None
    }
    return ConsolePage(title, list(_parts(asked, account, finding)), "Find")


def _parts(asked: PageQuestion, account: Account, finding: Finding) -> Iterator[PagePart]:
    yield _form(account.account_id)
    if finding.unasked:
        yield Note(f"The warehouse could not be asked: {finding.unasked}.", "warn")
    if finding.forgotten:
        yield Note("Whoever has this address was removed on request; only that is kept of them.")
    elif finding.is_empty:
        yield Note("The account knows nothing of that, and no row of the warehouse was found.")
    for each in finding.story.people:
        yield Facts(f"Person {each.person_key}", _facts(account, each))
    yield _standing(finding.story)
    yield _moments(asked, finding.story)
    yield PageTable(
        "rows",
        "Rows of the warehouse that are not sent",
        ("row", "session", "why it is not sent"),
        [(row, session, why or "to be read by a cycle") for row, session, why in finding.unsent],
        empty="There is no other row.",
    )


def _facts(account: Account, of: KnownPerson) -> Iterator[tuple[str, object]]:
    yield "address", of.address
    yield "said at", of.as_of
    yield "also known by", ", ".join(of.other_addresses) or None
    yield "ids", ", ".join(of.ids) or None
    if of.successor is not None:
        yield (
            "stands for both",
            Link(of.successor, f"/accounts/{account.account_id}/people/{of.successor}"),
        )
    yield "record", _record(account, of) if of.salesforce_id else "none is known yet"
    yield "why this one", of.reason
    yield "found at", of.seen_at


def _record(account: Account, of: KnownPerson) -> Link:
    return Link(f"{of.sobject} {of.salesforce_id}", f"{account.login_url}/{of.salesforce_id}")


def _standing(story: Story) -> PageTable:
    return PageTable(
        "standing",
        "How it stands",
        ("operation", "about", "state", "record", "what comes next"),
        [
            (
                Link(each.operation_id, f"/operations/{each.operation_id}"),
                each.about,
                each.state,
                each.record,
                each.comes_next,
            )
            for each in story.outlooks
        ],
        empty="Nothing is wanted of it.",
    )


def _moments(asked: PageQuestion, story: Story) -> PageTable:
    moments = story.moments if asked.csv else story.moments[-_MOMENTS:]
    left_out = len(story.moments) - len(moments)
    return PageTable(
        "story",
        f"What happened (the newest {_MOMENTS} of {len(story.moments)})"
        if left_out
        else "What happened",
        ("when", "about", "event", "detail"),
        [(each.at, each.about, each.event, each.detail) for each in moments],
        empty="Nothing has happened.",
    )


PAGES = (
    PageAddress("/find", ConsoleRole.support, form),
    PageAddress("/accounts/{account_id}/found/{number}", ConsoleRole.support, found),
    PageAddress("/accounts/{account_id}/people/{person_key}", ConsoleRole.support, person),
)
ACTIONS = (ActionAddress("/find", ConsoleRole.support, find, writes=False),)
