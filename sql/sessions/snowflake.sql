-- The zone in which a session of Snowflake takes timestamps that carry none.
ALTER SESSION SET TIMEZONE = :timezone
