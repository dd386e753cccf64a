"""Sources of rows, accounts with new ones, and the mapping of the warehouse's columns.

`source` says what a source is: flows read it, the planner asks it for news. `participations` are
the warehouse's registrations and attendances; `mapping` turns columns into Salesforce's values and
says which rows must not reach an org. `org_changes` says whose org is to be asked again. Knows no
flow.
"""
