-- No page waits longer: whoever looks would have gone.
SELECT set_config('statement_timeout', '10s', false), set_config('lock_timeout', '2s', false)
