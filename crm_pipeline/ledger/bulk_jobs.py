"""Bulk jobs under way: known to the ledger, so that a crash loses sight of none."""

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


def note_bulk_job(connection: Connection, account_id: str, job_id: str) -> None:
    """Notes a job before it is closed; commit this before closing it."""
    parameters = {"account_id": account_id, "job_id": job_id}
    connection.execute(statement("ledger/note_bulk_job"), parameters)


def open_bulk_jobs(connection: Connection, account_id: str) -> list[str]:
    """Jobs that may still be writing, as far as the ledger knows; oldest first."""
    parameters = {"account_id": account_id}
    return list(connection.scalars(statement("ledger/open_bulk_jobs"), parameters))


def forget_bulk_job(connection: Connection, account_id: str, job_id: str) -> None:
    """Forgets a job that is over."""
    parameters = {"account_id": account_id, "job_id": job_id}
    connection.execute(statement("ledger/forget_bulk_job"), parameters)
