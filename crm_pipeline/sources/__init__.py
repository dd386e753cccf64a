"""Where rows come from: the platform's warehouse, as all flows read it, and what they become.

`participations` reads; `mapping` turns columns into Salesforce's values and says which
participations must not reach an org. Knows no flow.
"""
