"""Registers the sample accounts with the pipeline, as an operator would."""

import json
from pathlib import Path

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.store import (
    FieldMapping,
    add_account,
    add_filter,
    list_accounts,
    push_session,
    set_field_mapping,
    update_account,
)
from crm_pipeline.salesforce.credentials import from_json
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, SampleAccount
from crm_pipeline.sample.foreseen import sessions_to_push
from crm_pipeline.sample.orgs import credentials


def register_accounts(
    pipeline: Connection, warehouse: Connection, folder: Path, orgs_url: str
) -> None:
    """Adds the sample accounts that are missing; the others learn where their org is now.

    Args:
        pipeline: to the pipeline's own tables.
        warehouse: to the sample warehouse.
        folder: where the orgs' file is.
        orgs_url: of the server of the local orgs; each is below it by its name.
    """
    secrets = credentials(folder)
    there = {overview.account_id for overview in list_accounts(pipeline)}
    for sample in SAMPLE_ACCOUNTS:
        account = Account(
            account_id=sample.account_id,
            client_id=sample.account_id,
            name=sample.name,
            login_url=f"{orgs_url}/{sample.account_id}",
            enabled=sample.state != "Disabled",
            settings=AccountSettings.parse(sample.account_id, sample.settings),
        )
        if sample.account_id in there:
            update_account(pipeline, account)
            continue
        add_account(pipeline, account)
        set_credentials(
            pipeline, sample.account_id, from_json(json.dumps(secrets[sample.account_id]))
        )
        _choose(pipeline, warehouse, sample)


def _choose(pipeline: Connection, warehouse: Connection, sample: SampleAccount) -> None:
    for filter_string in sample.filters:
        add_filter(pipeline, sample.account_id, filter_string)
    for session in sessions_to_push(warehouse, sample):
        push_session(pipeline, sample.account_id, session)
    for sobject, field, source, constant in sample.mappings:
        set_field_mapping(
            pipeline, sample.account_id, FieldMapping(sobject, field, source, constant)
        )
