-- Something has to be written, or there is nothing to end.
SELECT pg_logical_emit_message(false, 'crm_pipeline', 'the log ends here'), pg_switch_wal()
