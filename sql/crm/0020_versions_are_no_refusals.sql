-- A retired API version was taken for refused credentials: raising the version must help.
UPDATE crm.credential
SET refused_reason = NULL, refused_at = NULL
WHERE refused_reason ~ 'UNSUPPORTED_API_VERSION|InvalidVersion|GONE|HTTP 410';
