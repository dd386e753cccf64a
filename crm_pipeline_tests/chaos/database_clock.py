"""The databases' clock, as it is on a server whose time is wrong, and then put right or wronger."""

from datetime import timedelta

from sqlalchemy import Connection, Engine, text

_INSTALLED = """
CREATE SCHEMA clock;
CREATE TABLE clock.wrong (by interval NOT NULL);
INSERT INTO clock.wrong VALUES ('0');
CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql
AS 'SELECT pg_catalog.now() + (SELECT by FROM clock.wrong)';
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql
AS 'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM clock.wrong)';
"""

_DEFAULTS = text(
    """
    SELECT
        format(
            'ALTER TABLE %s ALTER %I SET DEFAULT %s', d.adrelid::regclass, a.attname,
            CAST(:now AS text)
        )
    FROM pg_attrdef AS d
    INNER JOIN pg_attribute AS a ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE pg_get_expr(d.adbin, d.adrelid) IN ('now()', 'clock.now()', 'pg_catalog.now()')
    """
)


class DatabaseClock:
    """A clock that sessions of a database go by: those that begin from now on.

    Columns that have PostgreSQL's time by default have this one's for as long as it is there.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.begin() as connection:
            connection.exec_driver_sql(_INSTALLED)
            self._go_by(connection, "clock.now()", "SET search_path = clock, pg_catalog, public")

    def is_wrong(self, by: timedelta) -> None:
        """Sets it, also for sessions that are in the middle of something."""
        with self._engine.begin() as connection:
            connection.execute(text("UPDATE clock.wrong SET by = :by"), {"by": by})

    def remove(self) -> None:
        """Sessions that begin from now on go by PostgreSQL's own clock, as all defaults do."""
        with self._engine.begin() as connection:
            self._go_by(connection, "pg_catalog.now()", "RESET search_path")
            connection.exec_driver_sql("DROP SCHEMA clock CASCADE")

    @staticmethod
    def _go_by(connection: Connection, now: str, search_path: str) -> None:
        for default in connection.scalars(_DEFAULTS, {"now": now}).all():
            connection.exec_driver_sql(default)
        database = connection.scalar(text("SELECT current_database()"))
        connection.exec_driver_sql(f"ALTER DATABASE {database} {search_path}")
