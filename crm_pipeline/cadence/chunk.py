"""One run's accounts, several of them at once, each on its own."""

import importlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from crm_pipeline.cadence.due import extend_claims
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings

# Modules a cycle loads when first needed. An import that several threads begin at once fails now
# and then with half a module (seen with simple_salesforce), so it is done before there are any.
_LOADED_BY_CYCLES = (
    "cryptography.fernet",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "crm_pipeline.salesforce.login",
    "jwt.exceptions",
    "simple_salesforce.login",
)

_TOGETHER_SECONDS = 3.0
"""So long reports are gathered: to log those of 20 accounts costs little more than of one."""


def sync_accounts(
    account_ids: Sequence[str], *, run_id: str, steps: frozenset[str]
) -> Iterator[list[CycleReport]]:
    """Runs the cycle of each account, and yields the reports of those that ended together.

    `settings().accounts_at_once` of them wait for Salesforce at the same time, so that a slow
    org delays only itself. When the caller gives up, no further cycle begins; those under way
    come to their end.

    Raises:
        sqlalchemy.exc.DBAPIError: the pipeline's own database fails.
    """
    from crm_pipeline.cycle.cycle import collect_rarely, sync_account

    collect_rarely()
    for module in _LOADED_BY_CYCLES:
        importlib.import_module(module)
    extend_claims(account_ids)
    with ThreadPoolExecutor(settings().accounts_at_once, "account") as threads:
        waiting = {
            threads.submit(sync_account, account_id, run_id=run_id, steps=steps)
            for account_id in account_ids
        }
        try:
            while waiting:
                ended, waiting = wait(waiting, _TOGETHER_SECONDS)
                if ended:
                    yield [cycle.result() for cycle in ended]
        finally:
            for cycle in waiting:
                cycle.cancel()
