"""The databases: where they are, the statements of `sql/`, the migrations.

Knows nothing of accounts, Salesforce or flows.
"""
