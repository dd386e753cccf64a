"""The console: what people who serve clients look at, and decide, in a browser.

A process of its own. Pages are made on the server, of the ledger and of what is counted by day;
what a person decides goes the way that the commands go.
"""
