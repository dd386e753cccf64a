-- An attempt that failed lowers what remains; one that is hopeless (attempts NULL) leaves nothing.
-- The pause doubles with each try, up to some hundred times the first. An operation that a newer
-- version has overtaken meanwhile is not tried again; but a deletion is seen to its end.
-- A try that was used up is kept; of one that costs none, the operation has the last answer.
WITH failed AS (
    UPDATE crm.operation AS o
    SET
        state = CASE
            WHEN
                NOT o.gone
                AND NOT EXISTS (
                    SELECT FROM crm.latest_version AS l WHERE l.operation_id = o.operation_id
                )
                THEN 'superseded'
            WHEN o.attempts_left <= coalesce(f.attempts, o.attempts_left) THEN 'exhausted'
            ELSE 'failed'
        END,
        attempts_left = greatest(o.attempts_left - coalesce(f.attempts, o.attempts_left), 0),
        next_attempt_at = CASE
            WHEN o.attempts_left > coalesce(f.attempts, o.attempts_left)
                THEN clock_timestamp() + make_interval(
                    secs => :backoff_seconds * power(2, least(o.attempts - o.attempts_left, 8))
                    * (0.8 + 0.4 * random())
                )
        END,
        sobject = coalesce(f.sobject, o.sobject),
        action = coalesce(f.action, o.action),
        error_code = f.error_code,
        error_message = left(f.error_message, 1000),
        sent_by = :cycle_id,
        sent_at = clock_timestamp()
    FROM
        jsonb_to_recordset(CAST(:rows AS jsonb)) AS f (
            operation_id bigint,
            error_code text,
            error_message text,
            attempts smallint,
            sobject text,
            action text
        )
    WHERE o.operation_id = f.operation_id
    RETURNING
        o.account_id, o.operation_id, o.state, o.error_code, o.error_message, f.attempts
),

kept AS (
    INSERT INTO crm.refusal (account_id, operation_id, cycle_id, error_code, error_message)
    SELECT account_id, operation_id, :cycle_id, error_code, error_message
    FROM failed
    WHERE attempts IS DISTINCT FROM 0
)

SELECT operation_id, state FROM failed
