-- Whether the transaction that is open has changed and locked no row: it has no number then.
SELECT pg_current_xact_id_if_assigned() IS NULL
