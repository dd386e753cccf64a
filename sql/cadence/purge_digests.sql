-- That targets of alerts took a digest before these days.
DELETE FROM crm.alert_digest WHERE day < daily.of(now()) - CAST(:days AS integer)
