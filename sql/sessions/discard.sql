-- Takes from a session what another client of a pooler left in it: prepared statements, locks, settings.
DISCARD ALL
