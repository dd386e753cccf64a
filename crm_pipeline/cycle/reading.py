"""Reading: what is new at the sources of the flows, and in the org, becomes intents."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_pipeline.accounts.account import Account
from crm_pipeline.cycle.read_back import FlowsOn, ReadBack, bury_successors, keep, read_back
from crm_pipeline.database.engines import engine
from crm_pipeline.declaration import Batch, DeclarationError, Flow, Reading, Taking
from crm_pipeline.delivery.allowance import stop_if
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.intents import Recorded, only_read, record_intents
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.parts import with_parts
from crm_pipeline.ledger.positions import advance, positions
from crm_pipeline.ledger.records import ChildSet, RecordWant, intents_of
from crm_pipeline.report import CycleReport


@dataclass(frozen=True, slots=True)
class FlowReader:
    """Reads for the flows that an account has on.

    Attributes:
        account: the account.
        ledger: its part of the ledger.
        flows: those that are on, each with its settings.
        report: where what is read is counted.
        stop_asked: looked at between two batches.
        told: what flows have to say beside numbers, a line each.
        reads_on: the flows of which the next cycle reads on.
    """

    account: Account
    ledger: AccountLedger
    flows: FlowsOn
    report: CycleReport
    stop_asked: Callable[[], bool]
    told: list[str] = field(default_factory=list)
    reads_on: set[str] = field(default_factory=set)

    def read(self, flow: Flow[Any], choices: Any) -> None:
        """Reads a flow's sources and, where asked for, records them and moves their positions.

        Commits after each batch that is recorded.

        Raises:
            ExtractError: as the flow's `read`.
            AccountPaused: somebody asked to stop.
        """
        recording = flow.records(self.report.steps)
        reading = self._reading(flow, choices, recording=recording)
        taken = staying = 0
        with closing(flow.read(reading)) as batches:
            for batch in batches:
                stop_if(self.stop_asked)
                if recording:
                    with self.ledger.step():
                        recorded = self._record(flow, batch)
                else:
                    recorded = only_read(batch.intents)
                self._count(flow, batch, recorded)
                staying += sum(each.staying for each in recorded.values())
                taken += min(batch.rows, sum(each.new + each.changed for each in recorded.values()))
                if recording and taken >= flow.share:
                    self.reads_on.add(flow.name)
                    self.told.append(
                        f"{flow.name}: {taken} rows were new; the next cycle reads on from there"
                    )
                    break
            else:
                if recording:
                    self.ledger.connection.commit()
                    self._has_positions(flow, reading.sources)
        if staying:
            self.told.append(
                f"{staying} that were read are rejected now; what the org has of them stays"
            )

    def read_back(self, desk: Desk) -> None:
        """Reads what changed in the org, and records what the flows make of it; commits.

        Raises:
            SalesforceProblem: as `read_back.read_back`.
        """
        for read in read_back(desk, self.flows):
            with self.ledger.step():
                bury_successors(desk, read)
                for place, noticed in read.noticed.items():
                    flow, choices = self.flows[place]
                    wants = [self._as_news(want) for want in flow.notice(noticed, choices)]
                    self._record(flow, Batch(flow.name, 0, (), None, wants=wants))
                numbers = self._take(read, desk.org.log_in().org_time)
                keep(desk, read)
            self.report.tally.update(numbers)
            for sobject, records in read.records.items():
                self.report.outside[f"salesforce/{sobject}", "records_read"] += len(records)
            self.told.extend(read.notes)

    def follow(self) -> None:
        """Records what follows for the flows from all that they took of the org; commits."""
        for flow, choices in self.flows:
            for batch in flow.follow(self._reading(flow, choices, recording=True)):
                with self.ledger.step():
                    recorded = self._record(flow, batch)
                self._count(flow, batch, recorded)
                stop_if(self.stop_asked)
            self.ledger.connection.commit()  # A flow may note something behind its last batch.

    def _reading(self, flow: Flow[Any], choices: Any, *, recording: bool) -> Reading[Any]:
        return Reading(
            self.ledger.connection,
            engine("warehouse"),
            self.account,
            choices,
            flow.reads(self.report.steps),
            recording,
        )

    def _take(self, read: ReadBack, now: datetime) -> Counter[tuple[str, str]]:
        """Lets flows keep what was read; what one has asked for is for that one alone."""
        numbers: Counter[tuple[str, str]] = Counter()
        asker, asked = read.asked or (None, ())
        for place, (flow, choices) in enumerate(self.flows):
            if asker in (None, place):
                connection = self.ledger.connection
                numbers.update(
                    flow.take(
                        Taking(
                            connection, self.account, choices, read.records, asked, read.begins, now
                        )
                    )
                )
        return numbers

    def _count(self, flow: Flow[Any], batch: Batch, recorded: Mapping[str, Recorded]) -> None:
        self.report.tally.update(batch.numbers)
        self.report.tally.update(flow.count(batch, recorded))
        self.report.sessions.update(batch.rows_by_session)
        for table in flow.outside:
            if table.rows_of == batch.source:
                self.report.outside[table.name, "rows_read"] += batch.rows
        self.told.extend(batch.told)

    def _has_positions(self, flow: Flow[Any], sources: Sequence[str]) -> None:
        """Raises `DeclarationError` if a source was read and no position kept.

        Its account would be asked for at each tick.
        """
        known = positions(self.ledger.connection, self.ledger.account_id, flow.name)
        if lacking := set(sources) - known.keys():
            raise DeclarationError(
                f"The flow {flow.name} keeps no position of {', '.join(sorted(lacking))}"
            )

    def _as_news(
        self, want: RecordWant | ChildSet | MessageWant
    ) -> RecordWant | ChildSet | MessageWant:
        """A change of people's is told, also where it leads back to what was told before."""
        if isinstance(want, MessageWant):
            return replace(want, noticed_by=self.ledger.cycle_id)
        return want

    def _record(self, flow: Flow[Any], batch: Batch) -> Mapping[str, Recorded]:
        connection, account_id = self.ledger.connection, self.ledger.account_id
        messages = [each for each in batch.wants if isinstance(each, MessageWant)]
        records = [each for each in batch.wants if not isinstance(each, MessageWant)]
        recorded = record_intents(
            connection,
            account_id,
            flow=flow.name,
            cycle_id=self.ledger.cycle_id,
            intents=[
                *with_parts(connection, account_id, flow.name, batch.intents),
                *intents_of(connection, account_id, records, publishing=self._publishing),
                *(each.intent for each in messages),
            ],
        )
        if batch.position is not None:
            advance(connection, account_id, flow.name, batch.position)
        return recorded

    @property
    def _publishing(self) -> frozenset[str]:
        """The topics whose records are platform events."""
        return frozenset(t.name for flow, _ in self.flows for t in flow.topics if t.publishes)
