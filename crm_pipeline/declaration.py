"""The types that declare a flow: topics, sources, what Dagster shows, promises.

A flow is declared once, by these types; nothing below it knows its name, and nothing above it
knows more than its declaration.
"""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.database.statements import SQL
from crm_pipeline.delivery.kind import OF_THE_ORG, outcomes_of
from crm_pipeline.ledger.due import OF_ANY_TOPIC
from crm_pipeline.ledger.intents import Intent, Recorded
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.positions import Position
from crm_pipeline.ledger.records import ChildSet, RecordWant
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.changes import Children
from crm_pipeline.salesforce.composite import Record
from crm_pipeline.salesforce.org_objects import OrgField, OrgObject
from crm_pipeline.sources.source import Source, Start

if TYPE_CHECKING:
    from crm_pipeline.delivery.desk import Desk

S = TypeVar("S")

TO_THE_ORG = frozenset(OF_THE_ORG)
"""Kinds of operations that are written to the org."""

TO_THE_PLATFORM = "message"
"""The kind of operation that the source platform is told."""

KINDS = TO_THE_ORG | {TO_THE_PLATFORM}


class DeclarationError(Exception):
    """A declaration is incomplete or contradicts another one; the process does not start."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by name (ids, reasons; never personal data), shown as a table of two columns."""

    column: str
    numbers: Mapping[Any, int]


Numbers = Mapping[tuple[str, str], int]
"""Numbers by topic and outcome."""

Shown = Mapping[str, str | int | float | datetime | Table | None]
"""The metadata of a topic; None and empty texts are left out. Times are UTC."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A table or an object that a flow stands between: `warehouse/person`, `salesforce/Lead`.

    Attributes:
        name: group and name, joined by a slash.
        says: what it is, for analysts.
        technology: what Dagster shows as its kind.
        after: topics that write it; none for what is only read.
        fields: of an object in the org, what is written and declared, by the default names; the
            describe of an account's own org decides. Topics name others as their columns.
        columns: of a table what is read of it, of a standard object what is read or written by
            default: its name and its type, as the database or a describe has it.
        rows_of: of a table the source whose rows are its own; empty: its rows are read along with
            others, and not counted.
    """

    name: str
    says: str
    technology: str
    after: tuple[str, ...] = ()
    fields: tuple[OrgField, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    rows_of: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A noun of a flow: an asset in Dagster, and a step that a cycle may be asked for alone.

    Attributes:
        name: the asset's name, unique among all flows.
        says: what it is, for analysts.
        group: the asset's group.
        technology: what Dagster shows as its kind.
        after: the topics and outside things that it is made of.
        reads: the sources that are read for it.
        records: whether what is read becomes intents in the ledger when this topic is asked for.
        retries: whether it takes up what failed before.
        reads_back: whether changes of the org are read for it.
        sends: the kinds of operations that are delivered for it.
        when_deleted: of records of any object (`record`): whether one that people delete in the
            org is made anew or left.
        gives_up: of records (`record`): whether one that the org will never take as it is waits
            for people at once; else it is tried again as often as it has attempts.
        publishes: of records (`record`): whether they are platform events, which have neither a
            key nor an Id. An event without an answer is published again, as the same version;
            of all other records a lost creation would be made twice.
        counts: the outcomes that are counted of it, as people read them; each is shown, be it 0.
            One that its flow or a kind counts beside them is shown when it happens.
        shows: what is shown of a cycle beside its counts; every number in it is plotted.
        acts: what is done for it of what was asked of the account, before and after all else of a
            cycle; commits by itself. Its numbers go to the desk's tally.
        answers: whether `acts` does nothing but answer requests: where none waits, it is not asked.
        option: the account's choice of the flow without which the topic is absent for the account;
            empty: it has none of its own.
        columns: which columns of outside things each of its fields comes from, as
            `warehouse/person.city`.
    """

    name: str
    says: str
    group: str
    technology: str
    after: tuple[str, ...]
    counts: tuple[str, ...] = ()
    shows: Callable[[CycleReport], Shown] = lambda _: {}
    reads: tuple[str, ...] = ()
    records: bool = False
    retries: bool = False
    reads_back: bool = False
    sends: tuple[str, ...] = ()
    when_deleted: Literal["recreate", "leave"] | None = None
    gives_up: bool = True
    publishes: bool = False
    acts: "Callable[[Desk, Any], None] | None" = None
    answers: bool = False
    option: str = ""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def changes_something(self) -> bool:
        """True if a cycle that is asked for it changes ledger or org; others only look."""
        does = self.records or self.retries or self.reads_back or bool(self.sends)
        return does or self.acts is not None


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to each account: `sql/checks/<name>.sql` answers whether it is kept.

    The statement's columns are account_id, passed, and numbers that go to the metadata; its
    parameters :account_ids and :freshness_minutes, the promised time.

    Attributes:
        name: of the statement and of the asset check.
        topic: whose asset it is a check of.
        says: the promise, for analysts.
        numbers: what each number of the statement means, a sentence by its column.
        only_warns: whether a broken one is a warning rather than an error.
    """

    name: str
    topic: str
    says: str
    numbers: Mapping[str, str]
    only_warns: bool = False


@dataclass(frozen=True, slots=True)
class Reading(Generic[S]):
    """One account's rows for a flow to read, in the caller's transaction on `ledger`.

    Attributes:
        ledger: the pipeline's database, with the account's lock.
        warehouse: the platform's.
        account: whose rows.
        choices: the account's settings of this flow.
        sources: those of the flow's sources that are wanted, in its order.
        recording: whether what is read will be recorded; without it, it is only looked at.
    """

    ledger: Connection
    warehouse: Engine
    account: Account
    choices: S
    sources: tuple[str, ...]
    recording: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The intents of some rows of a source; recorded in one transaction with the position.

    Attributes:
        source: where the rows come from.
        rows: how many were read.
        intents: what is wanted, rejected ones among them.
        position: how far the source is read with them.
        wants: records of any object that are to be so or to be gone, and messages to the platform.
        rows_by_session: the rows by event session, where the report shows that.
        numbers: further numbers, by topic and outcome.
        told: what people are to know beside the numbers, a line each, without personal data.
    """

    source: str
    rows: int
    intents: Sequence[Intent]
    position: Position | None
    wants: "Wants" = ()
    rows_by_session: Mapping[int, int] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """An object of the org whose changes a flow wants to know.

    Attributes:
        sobject: the object.
        fields: a change of one of these is news; IsDeleted, MasterRecordId and the like among
            them, where the flow follows records that are gone.
        context: fields that are read along and are never a reason by themselves.
        if_there: further ones, where the org has them and shows them; `Contact.Email` is a field of
            the record that a lookup leads to.
        named: further ones that the account's settings name; where the org has them not, or hides
            them, people are told.
        children: relationships that are read along.
        held_only: whether only records count that the account holds for a natural key.
        look_back: how far back the first reading goes.
    """

    sobject: str
    fields: tuple[str, ...]
    context: tuple[str, ...] = ()
    if_there: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    children: tuple[Children, ...] = ()
    held_only: bool = True
    look_back: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Noticed:
    """A record of the org of which something changed that nobody of ours wrote, or told before.

    Attributes:
        sobject: its object.
        record: what was read of it, SystemModstamp and Id among that.
        changed: the watched fields that differ, with their values.
        natural_key: what the account holds it for (`person:<number>`, a record's key), or None.
    """

    sobject: str
    record: Mapping[str, Any]
    changed: Mapping[str, Any]
    natural_key: str | None


class Ask(NamedTuple):
    """A question for records of a watched object, by the values of one of its fields.

    `about` is the flow's own word for it, by which it knows the answer.
    """

    sobject: str
    field: str
    values: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Taking(Generic[S]):
    """Everything that one call to the org has read, for a flow to keep what it needs.

    Attributes:
        ledger: the pipeline's database, in the transaction that moves the positions.
        account: whose org.
        choices: the account's settings of this flow.
        records: by object, each with the fields of all flows' watches.
        asked: the questions that these records answer; none: they changed.
        begins: the objects that were never read before.
        now: the org's time, UTC.
    """

    ledger: Connection
    account: Account
    choices: S
    records: Mapping[str, Sequence[Record]]
    asked: Sequence[Ask]
    begins: Collection[str]
    now: datetime


Wants = Sequence[RecordWant | ChildSet | MessageWant]


@dataclass(frozen=True, slots=True)
class Flow(Generic[S]):
    """A flow, declared.

    Attributes:
        name: of the flow; its operations bear it.
        settings: the account's settings of the flow; None where the account has it off.
        topics: in the order in which a cycle comes to them.
        sources: where its rows come from; the planner asks them for news.
        outside: the tables and objects that it stands between.
        promises: what is to hold for each account.
        read: reads what is new and gives it batch by batch; the caller commits each.
        count: what recording a batch came to by kind of operation, by topic and outcome. Pure.
        share: so many rows that say something new a cycle takes of it; the rest is for the next
            one, so that all there is of one flow holds up no other.
        storage_share: of the org's data storage that may be used where it makes records; new ones
            wait above that. None: any.
        confirm_minutes: after so many an event is published again whose record does not show what
            it said. None: nobody looks.
        needs: what the org must have for it; where that lacks something, the flow does nothing in
            the org, and the others go on.
        renamed: the objects that an account's org calls otherwise than `outside` does: by their
            name there the declared one. Others may be among them.
        watches: the objects of the org whose changes it wants to know.
        notice: the rules that make wants of such changes. Pure.
        take: keeps what it needs of all records that were read of the org, known ones among them;
            returns numbers by topic and outcome.
        asks: what else is to be read of the org, given what was taken; asked until nothing is.
        follow: gives what follows from all that was taken, batch by batch; the caller commits each.
            Comes after the reading of the org, and also where that is not due.
    """

    name: str
    settings: Callable[[AccountSettings], S | None]
    topics: tuple[Topic, ...]
    sources: tuple[Source[Any, Any], ...]
    outside: tuple[Outside, ...]
    promises: tuple[Promise, ...]
    read: Callable[[Reading[S]], Generator[Batch]]
    count: Callable[[Batch, Mapping[str, Recorded]], Numbers] = lambda _, __: {}
    share: int = 20_000
    storage_share: Callable[[S], float | None] = lambda _: None
    confirm_minutes: Callable[[S], int | None] = lambda _: None
    needs: Callable[[S], Sequence[OrgObject]] = lambda _: ()
    renamed: Callable[[S], Mapping[str, str]] = lambda _: {}
    watches: Callable[[S], Sequence[Watched]] = lambda _: ()
    notice: Callable[[Sequence[Noticed], S], Wants] = lambda _, __: ()
    take: Callable[[Taking[S]], Numbers] = lambda _: {}
    asks: Callable[[Connection, Account, S], Sequence[Ask]] = lambda _, __, ___: ()
    follow: Callable[[Reading[S]], Iterable[Batch]] = lambda _: ()

    @property
    def sent_kinds(self) -> frozenset[str]:
        """The kinds of operations that its topics send."""
        return frozenset(kind for topic in self.topics for kind in topic.sends)

    def reads(self, asked: frozenset[str]) -> tuple[str, ...]:
        """The sources that are read for these topics, in the order of their declaration."""
        read = {name for topic in self.topics if topic.name in asked for name in topic.reads}
        return tuple(source.name for source in self.sources if source.name in read)

    def records(self, asked: frozenset[str]) -> bool:
        """Returns whether one of these topics has what is read recorded."""
        return any(topic.records for topic in self.topics if topic.name in asked)


def shown(topic: Topic, report: CycleReport) -> Shown:
    """Returns the numbers of a topic after a cycle: all that is counted, and further ones.

    One that is absent for the account has no numbers, not even 0, and says by which choice; unless
    something was taken off after it was switched off.
    """
    came = report.tally.by_topic.get(topic.name, {})
    if topic.name in report.absent and not came:
        return {"absent": report.absent[topic.name], **topic.shows(report)}
    counted = {outcome: report.tally[topic.name, outcome] for outcome in topic.counts}
    return {**counted, **came, **topic.shows(report)}


def absent_topics(flows: Sequence[Flow[Any]], account: AccountSettings) -> dict[str, str]:
    """Returns the topics that an account's choices switch off, each with the choice in words."""
    absent = {}
    for flow in flows:
        choices = flow.settings(account)
        for topic in flow.topics:
            if choices is None:
                absent[topic.name] = f"{flow.name} is off"
            elif topic.option and not getattr(choices, topic.option):
                absent[topic.name] = f"{flow.name}.{topic.option} is off"
    return absent


def by_declared_name(
    outside: Counter[tuple[str, str]], flows: Sequence[tuple[Flow[Any], Any]]
) -> Counter[tuple[str, str]]:
    """Returns what was counted outside, with objects by the names that flows declare.

    Args:
        outside: numbers by name and what was done, as `CycleReport.outside`.
        flows: those that the account has on, each with its settings of the account.
    """
    declared = {
        f"salesforce/{name}": f"salesforce/{default}"
        for flow, choices in flows
        for name, default in flow.renamed(choices).items()
    }
    counted: Counter[tuple[str, str]] = Counter()
    for (name, did), number in outside.items():
        counted[declared.get(name, name), did] += number
    return counted


def topic_of_kind(flows: Sequence[Flow[Any]]) -> Mapping[str, str]:
    """The topic that each kind of operation is counted under.

    Operations of the kinds that several topics may send say themselves of which they are.
    """
    return dict(_sent(flows))


def _sent(flows: Sequence[Flow[Any]]) -> Iterator[tuple[str, str]]:
    for flow in flows:
        for topic in flow.topics:
            for kind in topic.sends:
                if kind not in OF_ANY_TOPIC:
                    yield kind, topic.name


def declared(flows: Sequence[Flow[Any]]) -> tuple[Flow[Any], ...]:
    """The flows themselves, once it is sure that their declarations fit each other.

    Raises:
        DeclarationError: a name stands twice, or something is named that nobody declares.
    """
    topics = [topic.name for flow in flows for topic in flow.topics]
    sent = [kind for kind, _ in _sent(flows)]
    outside = [each.name for flow in flows for each in flow.outside]
    for names in ([flow.name for flow in flows], topics, outside, sent):
        if twice := {name for name in names if names.count(name) > 1}:
            raise DeclarationError(f"Declared more than once: {', '.join(sorted(twice))}")
    known = {*topics, *outside}
    for flow in flows:
        named = {
            *(name for topic in flow.topics for name in topic.after),
            *(name for each in flow.outside for name in each.after),
            *(promise.topic for promise in flow.promises),
        }
        if missing := named - known:
            raise DeclarationError(
                f"The flow {flow.name} names what nobody declares: {', '.join(sorted(missing))}"
            )
        _check_sources(flow)
        for promise in flow.promises:
            if not (SQL / "checks" / f"{promise.name}.sql").exists():
                raise DeclarationError(
                    f"The flow {flow.name} promises {promise.name}, and there is no "
                    f"sql/checks/{promise.name}.sql"
                )
        for topic in flow.topics:
            if unknown := set(topic.sends) - KINDS:
                raise DeclarationError(
                    f"The topic {topic.name} sends kinds that delivery does not know: "
                    f"{', '.join(sorted(unknown))}"
                )
            outcomes = {each for kind in topic.sends for each in outcomes_of(kind)}
            if uncounted := outcomes.difference(topic.counts):
                raise DeclarationError(
                    f"The topic {topic.name} does not count all outcomes of what it sends: "
                    f"{', '.join(sorted(uncounted))}"
                )
            if (topic.when_deleted is None) is ("record" in topic.sends):
                raise DeclarationError(
                    f"The topic {topic.name} says what becomes of deleted records (when_deleted), "
                    "or sends records, but not both"
                )
            if topic.publishes and "record" not in topic.sends:
                raise DeclarationError(f"The topic {topic.name} publishes, and sends no records")
    return tuple(flows)


def _check_sources(flow: Flow[Any]) -> None:
    """Raises `DeclarationError` unless all that is read has a source, and each source is recorded.

    One of which nothing is recorded would be news for ever. Each says what a start means to it.
    """
    names = [source.name for source in flow.sources]
    if unsaid := {s.name for s in flow.sources if not isinstance(getattr(s, "start", None), Start)}:
        raise DeclarationError(
            f"The flow {flow.name} has sources that do not say what an account's start means "
            f"(start): {', '.join(sorted(unsaid))}"
        )
    if twice := {name for name in names if names.count(name) > 1}:
        raise DeclarationError(
            f"The flow {flow.name} has a source more than once: {', '.join(sorted(twice))}"
        )
    read = {name for topic in flow.topics for name in topic.reads}
    if missing := read.difference(names):
        raise DeclarationError(
            f"The flow {flow.name} reads undeclared sources: {', '.join(sorted(missing))}"
        )
    recorded = {name for topic in flow.topics if topic.records for name in topic.reads}
    if unused := set(names) - recorded:
        raise DeclarationError(
            f"The flow {flow.name} has sources of which no topic records anything: "
            f"{', '.join(sorted(unused))}"
        )
