"""The case of a cycle that is taken back, after people went on with some of what it wrote."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.cycle_process import UNDOES
from crm_pipeline_tests.chaos.evidence import Record
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.story import begin

_OBJECTS = ("Lead", "Contact", "Event", "Campaign", "CampaignMember")
_NOT_COMPARED = ("SystemModstamp", "LastModifiedDate", "LastModifiedById")

_UNDOS = text(
    "SELECT intent ->> 'id' AS record, state, action, reason FROM crm.operation"
    " WHERE account_id = :account AND kind = 'undo'"
)


class UndoneCase:
    """The small case after its first cycle, of which nobody touched all but two records.

    Somebody gave the Contact that was there another name, and called a Lead that the cycle made.
    """

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        told = begin(installation, settings)
        org = installation.org()
        self._before = _records(org)
        ended = installation.cycle(environment={UNDOES: ""})
        if ended.state != "Complete" or ended.log:
            raise AssertionError(f"in good weather: {ended}")
        self._edited = told.ids["third"]
        [self._called] = [
            number
            for number, each in _records(org).items()
            if number not in self._before and each.get("Email") == "p1@example.com"
        ]
        installation.org_acts(
            installation.names[0],
            lambda there, by: by.change(
                there.table("Contact"),
                {**there.table("Contact").rows[self._edited], "LastName": "Married"},
            ),
        )
        call = {"Subject": "Call", "Status": "Completed", "Priority": "Normal"}
        seed(org, {"Task": [{**call, "WhoId": self._called}]})

    def goes_on(self) -> None:
        """As `Case`: nothing comes before the same is taken back once more, or left as it is."""

    def examined(self) -> Findings:
        """As `Case`: all is as before the cycle, but for what people touched, which is listed."""
        found, now = Findings(), _records(self._installation.org())
        account = {"account": self._installation.names[0]}
        with self._installation.rows() as rows:
            undos = rows.execute(_UNDOS, account).all()
        found.queued += [
            f"{each.record} is {each.state}"
            for each in undos
            if each.state not in ("done", "superseded")
        ]
        reasons = {each.record: str(each.reason) for each in undos}
        expected = {
            **self._before,
            self._edited: {**self._before[self._edited], "LastName": "Married", "Name": "Married"},
        }
        for number, before in expected.items():
            if number not in now:
                found.lost.append(f"{number} is gone")
            elif differing := {n: v for n, v in now[number].items() if v != before.get(n)}:
                found.wrong.append(f"{number} is not as before: {differing}")
        found.doubled += [
            f"{number} stays, or was made again: {reasons.get(number)}"
            for number in now.keys() - expected.keys() - {self._called}
        ]
        if self._called not in now:
            found.lost.append("a Lead is gone to which a call belongs")
        for number, why in ((self._edited, "LastName was changed since"), (self._called, "Task")):
            if undos and why not in reasons.get(number, why if number == self._called else ""):
                found.wrong.append(f"{number} is not listed for {why}: {reasons.get(number)}")
        return found

    def picture(self) -> list[Any]:
        """As `Case`: all there is, as nothing is made."""
        return sorted(_records(self._installation.org()).items())


def _records(org: Org) -> dict[str, Record]:
    """The records that are not deleted, by Id, without when they were touched."""
    return {
        number: {name: value for name, value in each.items() if name not in _NOT_COMPARED}
        for sobject in _OBJECTS
        for number, each in org.table(sobject).rows.items()
        if not each["IsDeleted"]
    }
