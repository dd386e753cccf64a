"""`crm-pipeline engagement clean-pages`: what an earlier installation left in the org."""

from collections import Counter
from typing import TYPE_CHECKING

from crm_pipeline.cli.account_login import log_in_to
from crm_pipeline.cli.arguments import AccountId, Yes
from crm_pipeline.cli.engagement import calls_said, engaged
from crm_pipeline.cli.guards import agree_now
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from crm_pipeline.accounts.engagement import EngagementSettings
    from crm_pipeline.salesforce.connection import Org

_FORMER = "Page__c"
"""The joint of a prospect's page and a person's, which is kept no more."""


def clean_pages(account_id: AccountId, *, yes: Yes = False) -> None:
    """Delete the records of Page__c, which an earlier installation kept and nothing reads any more.

    Only where that object joins the pages of prospects with those of people. How many they are
    and what it costs is said before.
    """
    from crm_pipeline.salesforce.clearing import DELETED, delete_all
    from crm_pipeline.salesforce.errors import SalesforceProblem, named

    _, chosen = engaged(account_id)
    sobject = f"{chosen.prefix}{_FORMER}"
    _, org, elsewhere = log_in_to(account_id)
    came_of_it: Counter[str] = Counter()
    try:
        if elsewhere is not None:
            mistake(f"Account {account_id}: {elsewhere}.")
        if number := _number_of(org, chosen, sobject, account_id):
            agree_now(
                f"{number} records of {sobject} are to be deleted: {calls_said(number)}, and one "
                "for each 2,000 to read their Ids.",
                "Delete them?",
                yes=yes,
            )
            for part in delete_all(org, sobject):
                came_of_it += part
    except SalesforceProblem as problem:
        mistake(
            f"Account {account_id}: {named(str(problem), account_id)}; {came_of_it[DELETED]} were "
            "deleted before. The same command goes on from there."
        )
    finally:
        org.log_out()
    say(f"Account {account_id}: {came_of_it.pop(DELETED, 0)} records of {sobject} were deleted.")
    if came_of_it:
        reasons = ", ".join(f"{code} ({number})" for code, number in came_of_it.most_common())
        mistake(f"Account {account_id}: {came_of_it.total()} were not deleted: {reasons}.")


def _number_of(org: "Org", chosen: "EngagementSettings", sobject: str, account_id: str) -> int:
    """Counts the records of the former object; ends the command where it is another one."""
    from crm_pipeline.salesforce.counting import count_records
    from crm_pipeline.salesforce.describe import SObjectSchema

    number = count_records(org, {sobject: ""})[sobject]
    if number is None:
        mistake(f"Account {account_id}: the org has no {sobject}, or hides it from the user.")
    described = org.request("describe", "GET", f"sobjects/{sobject}/describe").body
    fields = SObjectSchema.from_describe(described).fields.values()
    referred = {target for field in fields for target in field.reference_to}
    joined = {chosen.names.object("prospect_page"), chosen.names.object("person_page")}
    if not joined <= referred:
        mistake(
            f"Account {account_id}: {sobject} of this org does not refer to "
            f"{' and '.join(sorted(joined - referred))}, so it is none of the workflow's; nothing "
            "is deleted."
        )
    return number
