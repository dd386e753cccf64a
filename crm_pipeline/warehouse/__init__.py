"""The warehouse, as all flows read it: registrations and attendances, and what they become.

`participations` reads; `mapping` turns columns into Salesforce's values and says which
participations must not reach an org. Knows no flow.
"""
