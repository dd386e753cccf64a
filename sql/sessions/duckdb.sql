-- The zone in which a session of DuckDB takes timestamps that carry none.
SET timezone = :timezone
