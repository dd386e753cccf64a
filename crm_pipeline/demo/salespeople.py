"""Salespeople of a local org: they convert tracked leads, win, lose, merge, delete and reopen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

CLOSE_DAY = "2026-12-31"
LEADS = 9
"""So many tracked leads they take up, if there are."""

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Salespeople:
    """People at work in one org.

    Attributes:
        org_url: the org's address on the server of the local orgs.
        id_field: the field of Lead that holds the tracker's, or the prospect's, id.
    """

    org_url: str
    id_field: str

    def work(self) -> int:
        """Does it all once; in an org where it was done it goes on with the next leads.

        Returns:
            How many opportunities they have made.
        """
        leads = self._tracked_leads()[:LEADS]
        made = [self._convert(lead, number) for number, lead in enumerate(leads)]
        for number, (contact, opportunity) in enumerate(made):
            match number % 5:
                case 0:
                    self._move(opportunity, "Qualification", "Proposal/Price Quote", "Closed Won")
                case 1:
                    self._move(opportunity, "Qualification", "Closed Lost")
                case 2:
                    self._move(opportunity, "Closed Won", "Closed Lost", "Negotiation/Review")
                case 3:
                    self._ask("edit", id=opportunity, fields={"Amount": 1234.56})
                    self._later_role(contact)
                case _:
                    self._ask("delete", ids=[opportunity])
        if len(made) > 1:
            (winner, _), (loser, _) = made[:2]
            self._ask("merge", object="Contact", master_id=winner, ids=[loser])
        return len(made)

    def rename_one(self, first_name: str) -> str:
        """Gives the lead with an id and the shortest name another first name; returns its Id."""
        lead: str = min(self._tracked_leads(), key=lambda each: len(each["LastName"]))["Id"]
        self._ask("edit", id=lead, fields={"FirstName": first_name})
        return lead

    def _tracked_leads(self) -> Sequence[Mapping[str, Any]]:
        answer = requests.get(
            f"{self.org_url}/_admin/records/Lead?limit=2000", timeout=_TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return [
            lead
            for lead in answer.json()["records"]
            if lead.get(self.id_field) and not lead["IsConverted"]
        ]

    def _convert(self, lead: Mapping[str, Any], number: int) -> tuple[str, str]:
        name = f"{lead['Company']}, {lead['LastName']}"[:120]
        made = self._ask("convert", lead_id=lead["Id"], opportunity_name=name)
        fields = {"Amount": 1_000 + 250.25 * number, "CloseDate": CLOSE_DAY}
        self._ask("edit", id=made["opportunity_id"], fields=fields)
        return made["contact_id"], made["opportunity_id"]

    def _move(self, opportunity: str, *stages: str) -> None:
        for stage in stages:
            self._ask("edit", id=opportunity, fields={"StageName": stage})

    def _later_role(self, contact: str) -> None:
        """A second opportunity, of which somebody says only afterwards whose it is."""
        fields = {"Name": "Follow-up", "StageName": "Prospecting", "CloseDate": CLOSE_DAY}
        made = self._ask("create", object="Opportunity", fields={**fields, "Amount": 500})
        role = {"OpportunityId": made["id"], "ContactId": contact}
        self._ask("create", object="OpportunityContactRole", fields=role)

    def _ask(self, what: str, **how: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.org_url}/_admin/{what}", json=how, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        done: dict[str, Any] = answer.json()
        return done
