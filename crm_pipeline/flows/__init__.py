"""The flows: what is read from the warehouse, by which rules, to become which writes.

Each flow has the same files with the same names. A flow knows no other, and not how a call
to Salesforce is made.
"""
