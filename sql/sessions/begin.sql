-- Settings of a session, and the server process that serves it. Not asked for as the connection is
-- made: poolers refuse what they do not know then. A prepared statement is planned for its own
-- values: a plan kept from an account of ten rows takes minutes with one of ten thousand. Compiling a
-- plan, as PostgreSQL does by default, takes longer than what any statement of the ledger computes.
SELECT
    set_config('timezone', :timezone, false),
    set_config('datestyle', 'ISO, YMD', false),
    set_config('plan_cache_mode', 'force_custom_plan', false),
    set_config('jit', 'off', false),
    set_config('tcp_keepalives_idle', '30', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false),
    pg_backend_pid() AS server_process
