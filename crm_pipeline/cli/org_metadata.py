"""Writing the objects that flows need in an org, for an admin to deploy."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

if TYPE_CHECKING:
    from crm_pipeline.accounts.account import Account
    from crm_pipeline.salesforce.org_objects import OrgObject


def write_metadata(
    account: "Account",
    objects: "Sequence[OrgObject]",
    out: Path,
    *,
    permission_set: str,
    further: Mapping[str, str] | None = None,
) -> None:
    """Writes a project with objects, fields and a permission set, and says how it is deployed.

    Args:
        account: whose org.
        objects: what the flow needs.
        out: a folder; the command ends where there is something in it.
        permission_set: its API name.
        further: the texts of further files, by their paths.
    """
    from crm_pipeline.salesforce.metadata import source_project
    from crm_pipeline.salesforce.org_objects import packages_of

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        mistake(f"{out} is not empty: name another folder, or empty it.")
    files = {
        **source_project(
            objects,
            permission_set=permission_set,
            label=permission_set.replace("_", " "),
            api_version=account.settings.api_version,
        ),
        **(further or {}),
    }
    try:
        for path, text in files.items():
            file = out / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        mistake(f"{out} cannot be written: {error.strerror}; name another folder.")
    if packages := packages_of(objects):
        say(
            f"Left out the objects and fields of {', '.join(packages)}: a package brings them, "
            "which is to be in the org before."
        )
    say(
        f"Wrote {len(files)} files to {out}. Deploy them there with `sf project deploy start`, and "
        f"give the user of account {account.account_id} the permission set {permission_set}."
    )
