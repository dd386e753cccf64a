"""The listener: HTTP by which Salesforce asks for something (spec 4).

A process of its own, which accepts while Dagster is down. It calls nobody: it checks what is asked
and writes it into the queue; a cycle of the account does it.
"""
