"""The source platform: what Salesforce knows is told back to it.

Two ways, by setting: tables that the platform's own jobs read (the default; `ledger/messages.py`
writes them), or signed HTTP (`http`). Both take the same messages; both may be given one message
twice without harm.
Knows no flow, and nothing of Salesforce.
"""
