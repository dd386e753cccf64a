"""The way into an account's org: logged in to when first needed, and once a cycle."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.credentials import mark_refused, read_credentials, refused
from crm_pipeline.accounts.orgs import org_is_unsure, settle_org
from crm_pipeline.delivery.allowance import Allowance
from crm_pipeline.delivery.gate import TombstoneGate
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.salesforce.errors import AccountStopped, CredentialsRefused
from crm_pipeline.salesforce.writes import AUTO_ASSIGN
from crm_pipeline.settings import settings
from crm_pipeline.tracing import carried

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org, TakesWrites

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class OrgAccess:
    """An account's way into its org; calls are counted by the allowance.

    Attributes:
        stand_in: takes what is sent in the org's place, in a cycle that only plans.
    """

    ledger: AccountLedger
    account: Account
    allowance: Allowance
    stand_in: "TakesWrites | None" = None
    _logging_in: "Future[Org] | None" = None
    _another_thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1)
    )
    gate: TombstoneGate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = TombstoneGate(self.ledger.connection.engine, self.account)

    def be_sure_of_org(self) -> None:
        """Logs in where the login may lead to another org than before, even if nothing is to send.

        Raises:
            SalesforceProblem: as `log_in`.
        """
        if org_is_unsure(self.ledger.connection, self.ledger.account_id):
            self.log_in()

    def log_in(self) -> "Org":
        """Logs in where that is not done yet: nothing to send costs no login. Commits then.

        Raises:
            CredentialsRefused: they are not tried again before they change.
            AccountStopped: the login URL or the API version is to be changed, or it is not the
                org that the ledger is about.
            OrgUnavailable: the org does not answer.
        """
        if self.allowance.org is not None:
            return self.allowance.org
        logging_in = self._begun_login()
        self._logging_in = None
        try:
            org = logging_in.result()
        except CredentialsRefused as refusal:
            with self.ledger.step() as connection:
                mark_refused(connection, self.ledger.account_id, str(refusal))
            raise
        with self.ledger.step() as connection:
            elsewhere = settle_org(
                connection, self.account, org.organization_id, keeps=self.ledger.keeps
            )
        if elsewhere is not None:
            org.log_out()
            raise elsewhere
        org.gate, org.stand_in = self.gate, self.stand_in
        self.allowance.org = org
        return org

    def begin_login(self) -> None:
        """Begins to log in, unless that is done, where the org is sure to be asked.

        Raises:
            AccountStopped: the credentials were refused before.
        """
        if self.allowance.org is None:
            self._begun_login()

    def _begun_login(self) -> "Future[Org]":
        if self._logging_in is None:
            from crm_pipeline.salesforce.login import log_in

            connection, account_id = self.ledger.connection, self.ledger.account_id
            if reason := refused(connection, account_id):
                raise AccountStopped(reason, "not tried again before the credentials are changed")
            self._logging_in = self.in_background(
                log_in,
                self.account.login_url,
                read_credentials(connection, account_id),
                api_version=self.account.settings.api_version,
                read_timeout=settings().salesforce_read_timeout_seconds,
            )
        return self._logging_in

    def in_background(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Asks the org in another thread, while the ledger is worked with in this one."""
        return self._another_thread.submit(carried(ask), *args, **kwargs)

    def headers(self) -> dict[str, str]:
        """The request headers that the account's settings ask for, for writes."""
        chosen = {AUTO_ASSIGN: "TRUE" if self.account.settings.assignment_rules else "FALSE"}
        if self.account.settings.duplicate_rules == "allow":
            chosen["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
        return chosen

    def log_out(self) -> None:
        """Ends the session with the org, if there is one.

        Raises:
            AccountStopped, OrgUnavailable: as `log_in`, of a login that nobody has waited for.
        """
        try:
            if self._logging_in is not None:
                self.log_in()
            if self.allowance.org is not None:
                self.allowance.org.log_out()
        finally:
            self.gate.close()
