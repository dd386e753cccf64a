-- Whoever asks waits ten seconds at most: what takes longer is refused, and asked for again.
SELECT set_config('lock_timeout', '1s', false), set_config('statement_timeout', '4s', false)
