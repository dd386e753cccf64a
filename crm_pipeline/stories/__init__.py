"""Stories: everything that is known of a person or a thing, in the order of time.

They are read from the ledger and, where that knows nothing, from the warehouse; nothing is written,
and no org is called. What they say contains personal data.
"""
