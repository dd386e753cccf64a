"""Remedies: the steps that people can take for an account that is not Complete."""

from collections.abc import Sequence

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.cycle.brake import AccountHeld
from crm_pipeline.salesforce.errors import AccountPaused, AccountStopped, SalesforceProblem, named
from crm_pipeline.source_platform.messages import PlatformProblem, PlatformStopped
from crm_pipeline.sources.errors import ExtractError


def remedies(problems: Sequence[Exception], account_id: str, *, refused: bool) -> str:
    """One line for people: what to do about these problems, the commands for it among it.

    Args:
        problems: what ended steps of a cycle.
        account_id: whose cycle.
        refused: whether Salesforce has refused the account's credentials.
    """
    said = (_remedy(problem, account_id, refused=refused) for problem in problems)
    return named("; ".join(dict.fromkeys(said)), account_id)


def _remedy(problem: Exception, account_id: str, *, refused: bool) -> str:
    command = "crm-pipeline account"
    match problem:
        case AccountStopped() if refused:
            what = f"`{command} credentials {account_id}`, then `{command} test-login {account_id}`"
        case AccountStopped():
            what = f"{problem.action}, then `crm-pipeline cycle {account_id}`"
        case AccountHeld():
            what = problem.action
        case AccountPaused():
            what = problem.action or "nothing: it goes on by itself"
        case SalesforceProblem():
            what = "nothing: it is tried again by itself"
        case PlatformStopped():
            what = "mend the setting that the reason names; it is tried again by itself"
        case PlatformProblem():
            what = "nothing: it is tried again by itself"
        case ExtractError():
            what = "mend the warehouse or sql/extract; it is tried again by itself"
        case AccountError():
            what = f"mend the setting that the reason names: `{command} show {account_id}`"
        case _:
            what = "report the bug, with the run's log; it is tried again by itself"
    return what
