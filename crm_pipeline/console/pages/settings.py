"""What an account chooses: what there is, what another choice comes to, and storing it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.files import LISTED_PARTS, AccountFile, stored_file
from crm_pipeline.accounts.store import (
    account_changes,
    disable_account,
    enable_account,
    get_account,
    hold_account,
)
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order, PageAddress, PageQuestion
from crm_pipeline.console.choosing import ChoiceSeen, ChoiceWanted
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.log import note
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
from crm_pipeline.console.under_way import Seen, WorkUnderWay
from crm_pipeline.database.statements import statement
from crm_pipeline.text import shown

_LAST_CHANGES = 50
_UNDER_WAY = "settings"


def settings(asked: PageQuestion) -> ConsolePage:
    """All settings of an account, the one that is to be changed, and who changed which."""
    account_id = asked.path["account_id"]
    asked.account_id = account_id
    of = stored_file(asked.connection, account_id)
    parts: list[PagePart] = [
        Facts("", [("account", Link(account_id, f"/accounts/{account_id}")), ("name", of.name)]),
        *_changing(asked, of),
        PageTable(
            "lists",
            "Mapping, filters and sessions",
            ("choice", "as it is", "what it does"),
            [
                (
                    choice_link(account_id, part),
                    of.typed(part),
                    AccountFile.model_fields[part].description,
                )
                for part in LISTED_PARTS
            ],
            empty="",
        ),
        PageTable(
            "settings",
            "Settings",
            ("setting", "value", "chosen", "what it does"),
            [
                (
                    choice_link(account_id, name),
                    of.settings.typed(name),
                    name in of.settings.model_fields_set,
                    field.description,
                )
                for name, field in AccountSettings.model_fields.items()
            ],
            empty="",
        ),
        PageTable(
            "changes",
            "Last changes of its choices",
            ("when", "by", "choice", "was", "became"),
            [
                (each.changed_at, each.changed_by, each.choice, each.was, each.became)
                for each in account_changes(asked.connection, account_id, _LAST_CHANGES)
            ],
            empty="Nothing was changed.",
        ),
    ]
    return ConsolePage(f"Settings of {of.name} ({account_id})", parts, "Accounts")


def choice_link(account_id: str, name: str) -> Link:
    """Leads to a choice of an account, by its name, to see it and to make another one."""
    return Link(name, f"/accounts/{account_id}/settings?setting={name}")


def _changing(asked: PageQuestion, of: AccountFile) -> Iterator[PagePart]:
    path = f"/accounts/{of.account}/settings"
    if asked.work.is_under_way(of.account, _UNDER_WAY):
        yield Note("What a change comes to is being looked at, or it is being stored.")
        yield Form(path, [], [Button("Look again")])
        return
    if name := asked.query.get("setting"):
        yield _form(path, of, name)
    seen = asked.work.settings.of(of.account)
    if seen is not None:
        yield from _seen(path, seen)


_HOW = {
    "mapping": "as in an account's file",
    "filters": "one a line",
    "sessions": "their ids, one a line",
}


def _form(path: str, of: AccountFile, name: str) -> Form:
    """Asks for another choice."""
    part = next((each for each in LISTED_PARTS if each == name), None)
    field = (AccountFile if part else AccountSettings).model_fields.get(name)
    if field is None:
        raise ConsoleError(HTTPStatus.NOT_FOUND, "There is no such setting.")
    typed = of.typed(part) if part else of.settings.typed(name)
    how = f"{_HOW[part]}; empty: none" if part else "empty: the default"
    return Form(
        path,
        [
            Field("setting", "", name, hidden=True),
            Field("value", f"{name} ({how})", typed, long=True),
        ],
        [Button("See what that comes to", "look")],
        method="post",
        title=f"Other {name}" if part else f"Another {name}",
        note=f"{field.description} Nothing is stored yet.",
    )


def _seen(path: str, seen: Seen[ChoiceWanted, ChoiceSeen]) -> Iterator[PagePart]:
    yield Note(seen.sentence, "calm" if seen.found else "bad")
    if seen.found is None or seen.is_done:
        return
    yield PageTable(
        "changes_seen",
        f"What changes of {seen.of.name}",
        ("choice", "is", "becomes"),
        seen.found.changes,
        empty="",
    )
    yield PageTable(
        "effect",
        "What that makes otherwise",
        ("said",),
        [(line,) for line in seen.found.said],
        empty="Nothing is said of it: it counts from the next cycle on.",
    )
    yield Form(
        path,
        [Field("seen", "", seen.number, hidden=True)],
        [Button("Approve: store exactly this", "store")],
        method="post",
        note="It is looked at again, and stays as it is where that comes to something else by now.",
    )


def _looking(work: WorkUnderWay, wanted: ChoiceWanted, who: str) -> Callable[[], str]:
    def look() -> str:
        with work.settings.failure_kept(wanted.account_id, wanted):
            found = work.desk.look(wanted, who)
        sentence = f"{wanted.name} as {who} wants it, looked at {shown(datetime.now(UTC))}."
        work.settings.keep(wanted.account_id, wanted, found, sentence)
        return f"setting {wanted.name}"

    return look


def _storing(work: WorkUnderWay, seen: ChoiceSeen, who: str) -> Callable[[], str]:
    wanted = seen.wanted

    def store() -> str:
        with work.settings.failure_kept(wanted.account_id, wanted):
            work.desk.store(seen, who)
        sentence = f"{wanted.name} is stored; the next cycle goes by it."
        work.settings.keep(wanted.account_id, wanted, seen, sentence, is_done=True)
        return f"setting {wanted.name}"

    return store


def change(order: Order) -> ActionDone:
    """Has this process look at what another value comes to, or store what was seen."""
    account_id, does, who = order.path["account_id"], order.said("do"), order.somebody.name
    path = f"/accounts/{account_id}/settings"
    with order.databases.reading() as connection:
        get_account(connection, account_id)
    if does == "look":
        wanted = ChoiceWanted(account_id, order.said("setting"), order.said("value") or None)
        if wanted.name not in (*AccountSettings.model_fields, *LISTED_PARTS):
            raise ConsoleError(HTTPStatus.BAD_REQUEST, "There is no such setting.")
        action, done = "look at setting", "looked at"
        work = _looking(order.work, wanted, who)
    elif does == "store":
        what = f"The change of account {account_id}"
        wanted, seen = order.work.settings.approved(account_id, order.said("seen"), what)
        action, done = "set", "stored"
        work = _storing(order.work, seen, who)
    else:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say whether to look at it or to store it.")
    with order.databases.pipeline.begin() as connection:
        detail = f"setting {wanted.name}"
        note(connection, order.somebody, action, account_id=account_id, detail=detail)
    if not order.work.begin(order.somebody, account_id, _UNDER_WAY, done, work):
        raise ConsoleError(
            HTTPStatus.CONFLICT,
            f"Another change of account {account_id} is under way: try again when it has ended.",
        )
    is_over = not order.work.is_under_way(account_id, _UNDER_WAY)
    return ActionDone("" if is_over else "That takes a while: load this page again.", path)


def switch(order: Order) -> ActionDone:
    """Starts no further cycle for an account, or lets them run again."""
    account_id, does = order.path["account_id"], order.said("do")
    if does not in ("disable", "enable"):
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say whether to disable or to enable it.")
    with order.databases.pipeline.begin() as connection:
        connection.execute(statement("accounts/set_who"), {"who": order.somebody.name})
        hold_account(connection, account_id)
        of = get_account(connection, account_id)
        if of.draft:
            raise ConsoleError(
                HTTPStatus.CONFLICT,
                f"Account {account_id} is a draft; `crm-pipeline account activate {account_id}` "
                "lets its cycles begin.",
            )
        if of.enabled == (does == "enable"):
            raise ConsoleError(HTTPStatus.CONFLICT, f"Account {account_id} is {does}d already.")
        (enable_account if does == "enable" else disable_account)(connection, account_id)
        note(connection, order.somebody, does, account_id=account_id)
    sentence = {
        "disable": "Disabled: no further cycle starts; one that runs now ends by itself.",
        "enable": "Enabled: its cycles run again.",
    }[does]
    return ActionDone(sentence, f"/accounts/{account_id}")


PAGES = (PageAddress("/accounts/{account_id}/settings", ConsoleRole.operator, settings),)
ACTIONS = (
    ActionAddress("/accounts/{account_id}/settings", ConsoleRole.operator, change),
    ActionAddress(
        "/accounts/{account_id}/enabled",
        ConsoleRole.operator,
        switch,
        page="/accounts/{account_id}",
    ),
)
