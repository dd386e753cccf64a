"""One cycle of one account: what every flow shares, without Dagster.

`sync_account` takes the account's lock, reads what is new through the flows, drains the
ledger into the org and says what happened. It knows accounts, the ledger, the delivery and
the flows it is given; it knows nothing of schedules, assets or the command line.
"""
