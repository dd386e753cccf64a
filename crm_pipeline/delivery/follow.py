"""Campaigns that we made follow their events' names and days, unless people changed them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from crm_pipeline.delivery.desk import Desk
from crm_pipeline.delivery.replacing import what_it_replaces
from crm_pipeline.ledger.campaigns import note_following
from crm_pipeline.ledger.outcomes import Failed, end_sending, note_sending
from crm_pipeline.ledger.replaced import keep_replaced
from crm_pipeline.salesforce.composite import Record, Subrequest, composite
from crm_pipeline.salesforce.errors import Treatment, decide, problem_of
from crm_pipeline.salesforce.limits import COMPOSITE_SUBREQUESTS
from crm_pipeline.salesforce.outcomes import Write

FOLLOWED = ("Name", "StartDate", "EndDate")
"""The fields of a campaign that follow its event."""

_PASSING = (Treatment.RETRY, Treatment.RETRY_SERIALLY, Treatment.RESEND)


class Follower(NamedTuple):
    """A campaign that we made, which operation wants it so, and the fields that are to follow.

    `there` is the campaign as it was read.
    """

    operation_id: int
    campaign_id: str
    fields: dict[str, Any]
    there: Record

    @property
    def write(self) -> Write:
        """The update that it needs."""
        return Write(
            self.operation_id, "Campaign", "update", self.fields, salesforce_id=self.campaign_id
        )


def followed(intent: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a campaign that are to follow its event; none where the account wants none."""
    if not intent.get("keep", True):
        return ()
    parent = ("ParentId",) if "parent" in intent else ()
    return (*FOLLOWED, *parent, *intent.get("follows", ()))


def changes(
    wanted: Mapping[str, Any],
    former: Sequence[Mapping[str, Any]],
    record: Record,
    fields: Sequence[str] = FOLLOWED,
) -> dict[str, Any]:
    """Returns the fields of a campaign that are to follow its event.

    Args:
        wanted: the campaign's fields, as they are sent.
        former: the same as they were wanted before.
        record: the campaign in the org. People wrote what was never wanted.
        fields: those that follow.
    """
    return {
        field: wanted[field]
        for field in fields
        if field in wanted
        and record.get(field) != wanted[field]
        and any(record.get(field) == each.get(field) for each in former)
    }


class FollowedCampaigns(NamedTuple):
    """The outcome of `follow`.

    Attributes:
        taken: the fields that the org took, by operation.
        later: the operations whose campaigns are locked, or which the org cannot change for
            another passing reason: they are to be sent again.
        refused: the fields that the org did not take, by operation, and the code that says why.
    """

    taken: Mapping[int, Mapping[str, Any]]
    later: Sequence[Failed]
    refused: Mapping[int, tuple[Mapping[str, Any], str]]


def follow(desk: Desk, followers: Sequence[Follower]) -> FollowedCampaigns:
    """Sends what is to follow, 25 campaigns a call; to send it twice does no harm.

    Commits before each call what is about to be sent: after a lost answer it is known as ours.

    A campaign whose change the org refuses stays as it is, and is told.

    Raises:
        SalesforceProblem: as `delivery.deliver`; the campaigns are looked at again.
    """
    taken, later, refused = {}, [], {}
    for start in range(0, len(followers), COMPOSITE_SUBREQUESTS):
        part = followers[start : start + COMPOSITE_SUBREQUESTS]
        desk.allowance.demand_calls()
        org = desk.org.log_in()
        replaced = [what_it_replaces(each.write, each.there, org.user_id) for each in part]
        with desk.ledger.step() as connection:
            note_following(connection, {each.operation_id: each.fields for each in part})
            keep_replaced(desk.ledger, filter(None, replaced), sent=True)
        answers = composite(
            org,
            [
                Subrequest(
                    f"f{place}", "PATCH", f"sobjects/Campaign/{campaign_id}", fields, "update"
                )
                for place, (_, campaign_id, fields, _) in enumerate(part)
            ],
            writes=True,
        )
        sent = {("Campaign", "update"): [each.operation_id for each in part]}
        with desk.ledger.step() as connection:
            note_sending(
                connection, desk.ledger.account_id, desk.ledger.cycle_id, sent, "composite"
            )
            end_sending(connection, desk.ledger.account_id, [], org_time=org.org_time)
        for follower, answer in zip(part, answers, strict=True):
            if answer.error is None:
                taken[follower.operation_id] = follower.fields
            else:
                code, message = answer.error
                if (problem := problem_of(code, message, answer.status)) is not None:
                    raise problem
                if decide(code, message, answer.status) in _PASSING:
                    later.append(Failed(follower.operation_id, code, message, attempts=0))
                    continue
                what = f"a campaign does not follow its event: {code}"
                desk.notes.changed[what] = desk.notes.changed.get(what, 0) + 1
                refused[follower.operation_id] = follower.fields, code
    return FollowedCampaigns(taken, later, refused)
