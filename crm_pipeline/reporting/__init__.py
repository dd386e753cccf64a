"""Numbers that last: what is counted by day, and how people read it (docs/reporting.md).

What happens is counted where it happens, by triggers of `crm` and the statements that record it,
in the same transaction (schema `daily`). Here is the rest: what there is on a day, and the views of
the schema `reporting` as documents.
"""
