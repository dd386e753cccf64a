"""The platform's users and feedback tickets, declared: a flow for each, as either may be off."""

from collections.abc import Sequence

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.feedback_records import FeedbackObject
from crm_pipeline.declaration import Flow, Outside, Promise, Topic
from crm_pipeline.flows.platform import FEEDBACK, GROUP, USERS
from crm_pipeline.flows.platform.reading import read_tickets, read_users
from crm_pipeline.salesforce.org_objects import OrgObject
from crm_pipeline.sources import platform_rows
from crm_pipeline.sources.tables import COLUMNS_READ

_USERS = Topic(
    USERS,
    "The platform's users, for accounts that take requests from Salesforce: their ids, keyed "
    "hashes of their addresses and the columns that the filters of listeners name, by which a "
    "request finds them. Where the account has users in its org, each is a person there, sent "
    "with all other people.",
    group=GROUP,
    technology="postgres",
    after=("warehouse/person",),
    counts=("users_read", "rejected"),
    reads=(platform_rows.USERS.name,),
    records=True,
)

_FEEDBACK = Topic(
    FEEDBACK,
    "The platform's feedback tickets, for accounts that have them in the org: each is a record "
    "under the Lead or Contact of who submitted it, and follows its status. One that people "
    "delete stays deleted.",
    group=GROUP,
    technology="salesforce",
    after=("warehouse/feedback_ticket", "warehouse/person"),
    counts=(
        "tickets_read",
        "without_person",
        "rejected",
        "create",
        "update",
        "unchanged",
        "failed",
    ),
    reads=(platform_rows.FEEDBACK_TICKETS.name,),
    records=True,
    sends=("record",),
    when_deleted="leave",
)


def _with_feedback(account: AccountSettings) -> AccountSettings | None:
    has = account.inbound is not None and account.inbound.feedback_in_org is not None
    return account if has else None


def _needs(account: AccountSettings) -> Sequence[OrgObject]:
    feedback = None if account.inbound is None else account.inbound.feedback_in_org
    return () if feedback is None else (feedback.org_object,)


PLATFORM_USERS = Flow(
    USERS,
    settings=lambda account: None if account.inbound is None else account,
    topics=(_USERS,),
    sources=(platform_rows.USERS,),
    outside=(),
    promises=(),
    read=read_users,
)

FEEDBACK_RECORDS = Flow(
    FEEDBACK,
    settings=_with_feedback,
    topics=(_FEEDBACK,),
    sources=(platform_rows.FEEDBACK_TICKETS,),
    outside=(
        Outside(
            "warehouse/feedback_ticket",
            "Feedback of the platform's users: tickets of projects, each at a point of a workflow.",
            "postgres",
            columns=COLUMNS_READ["feedback_ticket"],
            rows_of=platform_rows.FEEDBACK_TICKETS.name,
        ),
        Outside(
            "salesforce/Feedback__c",
            "Feedback tickets in the client's org.",
            "salesforce",
            (FEEDBACK,),
            FeedbackObject().org_object.fields,
        ),
    ),
    promises=(
        Promise(
            "every_ticket_is_accounted_for",
            FEEDBACK,
            "Every ticket that is wanted in the org is there as the platform has it, or queued.",
            numbers={
                "tickets": "Tickets that are wanted in the org.",
                "in_org": "Those that are there as the platform has them.",
                "queued": "Those that are not yet.",
            },
        ),
    ),
    read=read_tickets,
    needs=_needs,
    renamed=lambda account: {each.name: FeedbackObject().object for each in _needs(account)},
)
