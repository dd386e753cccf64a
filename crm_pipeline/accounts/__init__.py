"""The clients' accounts: their settings, credentials, filters, sessions and mappings.

Knows the tables of `sql/crm/0001_accounts.sql` and how a credential is sealed; it knows
nothing of what a flow does with an account, nor how a login is made.
"""
