"""`crm-pipeline account export`, `apply` and `schema`: accounts as files, for git."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import Yes
from crm_pipeline.cli.databases import (
    as_a_whole,
    is_set_up,
    migrated,
    say_done,
    transaction,
)
from crm_pipeline.cli.extras import need_sample
from crm_pipeline.cli.guards import agree, check_client, if_the_warehouse_answers
from crm_pipeline.cli.json_form import document
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.questions import is_first_time, is_in_parts
from crm_pipeline.cli.show import counted, print_document, print_table, say

if TYPE_CHECKING:
    from crm_pipeline.accounts.files import AccountFile, ChoiceChange

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="As in accounts/*.yaml.", dir_okay=False)
]


def export(
    account_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ACCOUNT]...", help="By default all.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="A file for each; else they are printed."),
    ] = None,
) -> None:
    """Write accounts as YAML files: all that they chose, without credentials.

    Into a folder goes also what is known of the fields of each org, for `account check`.
    """
    from crm_pipeline.accounts.files import stored_file
    from crm_pipeline.accounts.store import list_accounts, schemas_seen

    with transaction() as connection:
        chosen = account_ids or [each.account_id for each in list_accounts(connection)]
        files = [stored_file(connection, account_id) for account_id in chosen]
        schemas = {account_id: schemas_seen(connection, account_id) for account_id in chosen}
    if folder is None:
        for file in files:
            say(f"---\n{file.written()}".rstrip(), as_it_is=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / f"{file.account}.yaml").write_text(file.written(), encoding="utf-8")
        if seen := schemas[file.account]:
            fields = ",\n".join(seen[sobject].to_json() for sobject in sorted(seen))
            (folder / f"{file.account}.fields.json").write_text(f"[\n{fields}\n]\n", "utf-8")
    say(f"{counted(len(files), 'account')} in {folder}.")


def apply(
    files: Files,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; exit status 1 if anything.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Make accounts as files say; one that is not there yet becomes a draft.

    All files are checked before anything is stored. Each change is asked about as its own command
    does, and all changes of an account are made at once, or none is; with --dry-run it is said what
    settings, mapping and filters would make of the rows there are. Accounts without a file stay as
    they are.
    """
    from crm_pipeline.accounts.files import differences

    wanted = [_checked(file) for file in _read(files)]
    changes = {file.account: differences(_stored(file.account), file) for file in wanted}
    if is_first_time("the differences"):
        print_table(
            "",
            ("account", "part", "choice", "is", "becomes"),
            [
                (account, each.of, each.choice, each.was, each.becomes)
                for account, some in changes.items()
                for each in some
            ],
            empty=f"{counted(len(wanted), 'account')} as the files say.",
        )
    if dry_run:
        for file in wanted:
            _tell_effects(file, changes[file.account])
        if any(changes.values()):
            raise typer.Exit(1)
        return
    for file in wanted:
        if changes[file.account]:
            is_in_parts(f"account {file.account}")
            _change(file, yes=yes)


def check(
    files: Files,
    rows: Annotated[
        Path | None,
        typer.Option(
            help="CSV of rows, a column for each of the extracts'; by default sample rows.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Check files without any database: for CI. Exit status 1 if a field is wrong.

    Mapping and filters are run over rows. Where `export --to` has written the fields of the org
    beside a file (acme.fields.json), mapped fields have to be among them, and writable.
    """
    from crm_pipeline.cli import account_mapping
    from crm_pipeline.sources.trial import lacking, tried

    wrong = 0
    given = _rows(rows)
    for path, file in zip(files, _read(files), strict=True):
        trial = tried(file.settings, file.mappings, file.filters, given)
        problems = {
            f"{each.sobject}.{each.field}": f"the rows have no column {column}"
            for each, column in lacking(file.mappings, given[0])
        }
        problems |= {
            f"{each.sobject}.{each.field}": why
            for each in file.mappings
            if (why := account_mapping.not_together(each)) is not None
        }
        problems |= _unfit(path, file)
        mapped = [f"{each.sobject}.{each.field}" for each in file.mappings]
        print_table(
            f"{file.account}: {trial.rows} rows",
            ("field", "filled", "problem"),
            [
                (name, trial.filled[name], problems.get(name))
                for name in dict.fromkeys([*mapped, *sorted(trial.filled)])
            ],
            empty="",
        )
        for why, number in sorted(trial.rejected.items()):
            say(f"{file.account}: {counted(number, 'row')} rejected: {why}.")
        wrong += len(problems)
    if wrong:
        mistake(f"{counted(wrong, 'field')} cannot be filled so.")


def schema() -> None:
    """Print the JSON schema of such files, for editors and CI."""
    from crm_pipeline.accounts.files import AccountFile

    made, described = document(), AccountFile.model_json_schema()
    if made is None:
        print_document(described)
    else:
        made.parts.update(described)


def _rows(file: Path | None) -> list[dict[str, str]]:
    """Rows by their columns; those of the sample where no file is given."""
    import csv
    from importlib.resources import files as resources

    name = file or "the sample"
    if file is None:
        need_sample()
    try:
        text = (file or resources("crm_pipeline.sample") / "rows.csv").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mistake(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.")
    rows = [{k: v for k, v in row.items() if k} for row in csv.DictReader(text.splitlines(True))]
    if not rows or "email" not in rows[0]:
        mistake(f"{name} has no rows with the columns of sql/extract/, such as email.")
    return rows


def _unfit(path: Path, file: "AccountFile") -> dict[str, str]:
    """Why mapped fields cannot be filled in the org, as far as a file beside says."""
    import json

    from crm_pipeline.salesforce.describe import SObjectSchema

    known = path.with_name(f"{file.account}.fields.json")
    if not known.exists():
        return {}
    try:
        schemas = [SObjectSchema.from_json(each) for each in json.loads(known.read_text("utf-8"))]
    except (ValueError, KeyError, TypeError):
        mistake(f"{known} is none that `crm-pipeline account export --to` wrote.")
    by_name = {each.name: each for each in schemas}
    return {
        f"{each.sobject}.{each.field}": str(why)
        for each in file.mappings
        if each.is_filled
        and each.sobject in by_name
        and (why := each.misfit(by_name[each.sobject]))
    }


def _read(files: Sequence[Path]) -> "list[AccountFile]":
    from crm_pipeline.accounts.files import AccountFile

    read: dict[str, AccountFile] = {}
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            mistake(
                f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
            )
        for file in AccountFile.parse(text, str(path)):
            if file.account in read:
                mistake(f"{path}: account {file.account} stands there or in another file already.")
            read[file.account] = file
    return list(read.values())


def _checked(file: "AccountFile") -> "AccountFile":
    """A file with its fields as Salesforce spells them; ends the command if it cannot be stored."""
    from crm_pipeline.accounts.files import new_account
    from crm_pipeline.cli.account_again import check_policies
    from crm_pipeline.cli.account_mapping import no_column, possible
    from crm_pipeline.cli.opportunities import refuse_filter

    spelt = file.with_mapping([possible(file.account, each) for each in file.mappings])
    stored = _stored(file.account)
    former = stored.settings.person_field_policies if stored else ()
    check_policies(new_account(spelt), spelt.mappings, former)
    refuse_filter(new_account(spelt), ())
    parent = spelt.settings.campaigns and spelt.settings.campaigns.series_parent
    if parent and (why := no_column(parent, "Campaign")):
        mistake(f"Account {file.account}: series_parent: {why}.")
    return spelt


def _stored(account_id: str) -> "AccountFile | None":
    """Returns the account as it is; None where there is none."""
    from crm_pipeline.accounts.files import stored_file
    from crm_pipeline.accounts.store import list_accounts

    if not is_set_up():
        return None
    with transaction() as connection:
        if account_id not in {each.account_id for each in list_accounts(connection)}:
            return None
        return stored_file(connection, account_id)


def _tell_effects(file: "AccountFile", changes: "Sequence[ChoiceChange]") -> None:
    """Says of changes what they would make of the rows there are, where any was read yet."""
    from dataclasses import replace

    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.cli.account_again import has_read
    from crm_pipeline.cli.mapping_what_if import effect_of
    from crm_pipeline.cli.settings_what_if import changes_rows, effect_of_settings
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import rejections

    if _stored(file.account) is None:
        return
    with transaction() as connection, if_the_warehouse_answers("what that changes"):
        if not has_read(connection, file.account):
            return
        before = get_account(connection, file.account)
        after = replace(before, settings=file.settings)
        if changes_rows(before, after):
            say(f"{file.account}: {effect_of_settings(connection, before, after)}")
        mapped = {f"{each.sobject}.{each.field}": each for each in file.mappings}
        for each in changes:
            if each.of == "mapping":
                sobject, _, field = each.choice.partition(".")
                effect = effect_of(file.account, sobject, field, mapped.get(each.choice))
                say(f"{file.account}: {effect}")
            elif each.of == "filter":
                found = rejections(engine("warehouse"), before.client_id, each.choice)
                say(
                    f"{file.account}: of the {found.people} people so far, {each.choice!r} rejects "
                    f"{found.rejected}."
                )


def _change(file: "AccountFile", *, yes: bool) -> None:
    """Makes an account as its file says, by the commands that people would type, or not at all."""
    from crm_pipeline.accounts.files import differences
    from crm_pipeline.accounts.store import hold_account
    from crm_pipeline.cli import account

    stored = _stored(file.account)
    if stored is None:
        migrated()
        storage = account.OrgStorage()
    else:
        storage = account.ask_org(file.account, _settings(differences(stored, file)), yes=yes)
    with as_a_whole() as connection:
        hold_account(connection, file.account)
        changes = differences(_stored(file.account), file)
        itself = {each.choice: each.becomes or "" for each in changes if each.of == "account"}
        settings = _settings(changes)
        # Sessions and mappings are looked at as those of the client, and policies name mappings.
        if stored is None:
            _add(file, yes=yes)
        elif itself:
            account.change(file.account, {}, itself, storage, yes=yes)
        change_lists(file, changes, yes=yes)
        if stored is not None and settings:
            account.change(file.account, settings, {}, storage, yes=yes)


def _settings(changes: "Sequence[ChoiceChange]") -> dict[str, str | None]:
    """The settings that change, as they are typed."""
    return {each.choice: each.becomes for each in changes if each.of == "setting"}


def change_lists(file: "AccountFile", changes: "Sequence[ChoiceChange]", *, yes: bool) -> None:
    """Makes mapping, filters and sessions as a file says."""
    from crm_pipeline.cli import account_filter, account_mapping, account_session

    mapped = {f"{each.sobject}.{each.field}": each for each in file.mappings}
    # A session is listed before the last one goes off the list.
    for each in sorted(changes, key=lambda change: change.becomes is None):
        match each.of, each.becomes:
            case "mapping", None:
                account_mapping.remove(file.account, each.choice, yes)
            case "mapping", _:
                account_mapping.store(file.account, mapped[each.choice], yes=yes)
            case "filter", None:
                account_filter.remove(file.account, each.choice, yes)
            case "filter", _:
                account_filter.add(file.account, each.choice, yes)
            case "session", None:
                _take_off(file, int(each.choice), yes=yes)
            case "session", _:
                account_session.add(file.account, int(each.choice), yes)


def _add(file: "AccountFile", *, yes: bool) -> None:
    from crm_pipeline.accounts.files import new_account
    from crm_pipeline.accounts.store import add_account

    check_client(file.client.strip(), yes=yes)
    with transaction() as connection:
        add_account(connection, new_account(file))
    say_done(
        f"Added account {file.account} as a draft; give it credentials with `crm-pipeline account "
        f"credentials {file.account}`."
    )


def _take_off(file: "AccountFile", session: int, *, yes: bool) -> None:
    """Takes a session off the list; where no other is listed, all go, which is asked."""
    from crm_pipeline.cli import account_session

    if not file.sessions:
        agree(
            f"Account {file.account} lists no session any more: all of its sessions go to "
            "Salesforce, with all that they had so far.",
            "Push all of them?",
            yes=yes,
        )
    account_session.remove(file.account, session, push_all=not file.sessions)
