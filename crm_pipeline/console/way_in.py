"""Which of the ways to log in an installation has."""

from collections.abc import Callable
from ipaddress import ip_network

from crm_pipeline.console.logins import ConsoleLogin, LinkLogin, ProxyLogin
from crm_pipeline.console.openid import OpenIdLogin
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.settings import Settings


def chosen_login(chosen: Settings, name: str, say: Callable[[str], None]) -> ConsoleLogin:
    """Returns the way to log in that the settings choose.

    Args:
        chosen: the installation's settings.
        name: of whoever starts the console, who is its operator where nothing else is chosen.
        say: tells them the path and query of a link.
    """
    members = {
        ConsoleRole.viewer: chosen.console_viewers,
        ConsoleRole.support: chosen.console_support,
        ConsoleRole.operator: chosen.console_operators,
    }
    if chosen.console_proxy:
        return ProxyLogin(
            [ip_network(each) for each in chosen.console_proxy],
            chosen.console_user_header,
            chosen.console_groups_header,
            members,
        )
    secret = chosen.console_oidc_client_secret
    if (
        chosen.console_oidc_issuer
        and chosen.console_oidc_client_id
        and chosen.console_url
        and secret
    ):
        return OpenIdLogin(
            issuer=chosen.console_oidc_issuer,
            client_id=chosen.console_oidc_client_id,
            client_secret=secret.get_secret_value(),
            console_url=chosen.console_url,
            groups_claim=chosen.console_oidc_groups_claim,
            members=members,
        )
    return LinkLogin(name, say)
