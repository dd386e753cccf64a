-- The console's log is kept for a time that is set, no longer for ever.
COMMENT ON TABLE crm.console_log
IS 'What people have looked at and done in the console; purged after CONSOLE_LOG_DAYS.';
