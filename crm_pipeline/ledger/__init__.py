"""The ledger: every intended write, what became of it, and what is known of each person.

SQL and transactions. It is the outbox, the retry queue, the audit trail and the protection
against doing a thing twice. Knows nothing of Salesforce's wire format, of flows or Dagster.
"""
