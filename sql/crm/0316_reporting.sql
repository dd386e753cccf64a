-- The views that people build on: documented, versioned, without personal data (docs/reporting.md).
CREATE SCHEMA reporting;

COMMENT ON SCHEMA reporting IS 'Numbers by day (UTC) and account, for reports and dashboards.';

CREATE VIEW reporting.version AS
SELECT 1 AS version;

COMMENT ON VIEW reporting.version IS 'The version of these views, one row.';
COMMENT ON COLUMN reporting.version.version
IS 'Grows when a view or column goes or means something else; further ones leave it as it is.';

CREATE VIEW reporting.accounts AS
SELECT a.account_id, a.name, a.client_id, a.added_at, a.removed_at
FROM daily.account AS a;

COMMENT ON VIEW reporting.accounts IS 'Accounts, those that were removed among them: one row each.';
COMMENT ON COLUMN reporting.accounts.account_id IS 'The account, as commands name it.';
COMMENT ON COLUMN reporting.accounts.name IS 'Its name for people, the present one or the last.';
COMMENT ON COLUMN reporting.accounts.client_id IS 'The client of the webinar platform that it is about.';
COMMENT ON COLUMN reporting.accounts.added_at IS 'When it was added first.';
COMMENT ON COLUMN reporting.accounts.removed_at IS 'When it was removed; NULL: it is there.';

CREATE VIEW reporting.cycles AS
SELECT
    c.day,
    c.account_id,
    c.complete + c.failed + c.paused + c.held AS cycles,
    c.complete,
    c.failed,
    c.paused,
    c.held,
    c.cut_off,
    c.seconds,
    c.longest_seconds,
    c.api_calls,
    c.api_used,
    c.api_limit,
    c.api_calls / nullif(c.api_limit::double precision, 0) AS api_share,
    c.waiting,
    c.exhausted,
    c.day < daily.of(now()) AS day_is_over
FROM daily.cycle AS c;

COMMENT ON VIEW reporting.cycles IS 'Cycles by the day they ended on: one row per day and account.';
COMMENT ON COLUMN reporting.cycles.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.cycles.account_id IS 'The account.';
COMMENT ON COLUMN reporting.cycles.cycles IS 'Cycles: complete + failed + paused + held.';
COMMENT ON COLUMN reporting.cycles.complete IS 'Cycles that did all they were to do.';
COMMENT ON COLUMN reporting.cycles.failed IS 'Cycles that something kept from that.';
COMMENT ON COLUMN reporting.cycles.paused IS 'Cycles that stopped for API calls or storage, or were told to.';
COMMENT ON COLUMN reporting.cycles.held IS 'Cycles that would have done far more than usual.';
COMMENT ON COLUMN reporting.cycles.cut_off
IS 'Of the failed ones, those whose process died: their API calls and outcomes are not known, their '
   'readings and deliveries are.';
COMMENT ON COLUMN reporting.cycles.seconds IS 'How long they took together.';
COMMENT ON COLUMN reporting.cycles.longest_seconds IS 'How long the longest one took.';
COMMENT ON COLUMN reporting.cycles.api_calls IS 'Requests to the org that count there.';
COMMENT ON COLUMN reporting.cycles.api_used
IS 'The most that all applications had used of the org''s 24 hours, as last seen; NULL: not known.';
COMMENT ON COLUMN reporting.cycles.api_limit IS 'What the org allows in 24 hours; NULL: not known.';
COMMENT ON COLUMN reporting.cycles.api_share IS 'api_calls of api_limit: 0.02 is 2 %.';
COMMENT ON COLUMN reporting.cycles.waiting IS 'Operations that waited after the last cycle of the day.';
COMMENT ON COLUMN reporting.cycles.exhausted
IS 'Operations that had used up their tries after the last cycle of the day.';
COMMENT ON COLUMN reporting.cycles.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.readings AS
SELECT
    r.day,
    r.account_id,
    r.flow,
    r.kind,
    sum(r.new + r.changed + coalesce(r.known, 0))::bigint AS "read",
    coalesce(sum(r.new) FILTER (WHERE r.rejected_because = ''), 0)::bigint AS new,
    coalesce(sum(r.changed) FILTER (WHERE r.rejected_because = ''), 0)::bigint AS changed,
    coalesce(sum(r.new + r.changed) FILTER (WHERE r.rejected_because <> ''), 0)::bigint AS rejected,
    sum(r.known)::bigint AS known,
    r.day < daily.of(now()) AS day_is_over
FROM daily.reading AS r
GROUP BY r.day, r.account_id, r.flow, r.kind;

COMMENT ON VIEW reporting.readings
IS 'What was read, as what is wanted of it: one row per day, account, flow and kind.';
COMMENT ON COLUMN reporting.readings.day IS 'The day of the reading, UTC.';
COMMENT ON COLUMN reporting.readings.account_id IS 'The account.';
COMMENT ON COLUMN reporting.readings.flow IS 'The flow: webinars, campaigns, attribution, …';
COMMENT ON COLUMN reporting.readings.kind IS 'person, activity, campaign, member, record or message.';
COMMENT ON COLUMN reporting.readings."read" IS 'new + changed + rejected + known.';
COMMENT ON COLUMN reporting.readings.new IS 'Of these nothing was known before, and they are to be sent.';
COMMENT ON COLUMN reporting.readings.changed IS 'These say something else than before, and are to be sent.';
COMMENT ON COLUMN reporting.readings.rejected
IS 'New or changed ones that are not to be sent; the view rejections says why.';
COMMENT ON COLUMN reporting.readings.known
IS 'These say what is known, as rows are read twice on purpose; NULL: not counted on that day yet.';
COMMENT ON COLUMN reporting.readings.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.rejections AS
SELECT
    r.day,
    r.account_id,
    r.flow,
    r.kind,
    r.rejected_because AS reason,
    r.new + r.changed AS number,
    r.day < daily.of(now()) AS day_is_over
FROM daily.reading AS r
WHERE r.rejected_because <> '' AND r.new + r.changed > 0;

COMMENT ON VIEW reporting.rejections
IS 'What was read and is not to be sent, once each: one row per day, account, flow, kind and reason.';
COMMENT ON COLUMN reporting.rejections.day IS 'The day of the reading, UTC.';
COMMENT ON COLUMN reporting.rejections.account_id IS 'The account.';
COMMENT ON COLUMN reporting.rejections.flow IS 'The flow.';
COMMENT ON COLUMN reporting.rejections.kind IS 'person, activity, campaign, member, record or message.';
COMMENT ON COLUMN reporting.rejections.reason IS 'Why: filtered, no email, invalid email, …';
COMMENT ON COLUMN reporting.rejections.number IS 'How many; they add up to rejected in readings.';
COMMENT ON COLUMN reporting.rejections.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.deliveries AS
SELECT
    d.day,
    d.account_id,
    d.flow,
    d.kind,
    d.object,
    d.action,
    d.number,
    d.late,
    d.seconds / d.number AS average_seconds,
    d.longest_seconds,
    d.day < daily.of(now()) AS day_is_over
FROM daily.delivery AS d;

COMMENT ON VIEW reporting.deliveries
IS 'What the org has taken, and what the platform was told: one row per day, account, flow, kind, '
   'object and action.';
COMMENT ON COLUMN reporting.deliveries.day IS 'The day of the answer, UTC.';
COMMENT ON COLUMN reporting.deliveries.account_id IS 'The account.';
COMMENT ON COLUMN reporting.deliveries.flow IS 'The flow.';
COMMENT ON COLUMN reporting.deliveries.kind IS 'person, activity, campaign, member, record or message.';
COMMENT ON COLUMN reporting.deliveries.object
IS 'The object by its API name: Lead, Contact, Event, …; message: the platform was told.';
COMMENT ON COLUMN reporting.deliveries.action
IS 'create, update or delete; none: it was there already, and nothing was written.';
COMMENT ON COLUMN reporting.deliveries.number IS 'How many.';
COMMENT ON COLUMN reporting.deliveries.late
IS 'Those of them that came later than FRESHNESS_MINUTES after their row was shipped, or after the '
   'account''s settings where it was read for these; NULL: not counted on that day yet, or a message.';
COMMENT ON COLUMN reporting.deliveries.average_seconds IS 'From that moment to the org''s answer.';
COMMENT ON COLUMN reporting.deliveries.longest_seconds IS 'The longest such time.';
COMMENT ON COLUMN reporting.deliveries.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.lateness AS
SELECT
    d.day,
    d.account_id,
    sum(d.number)::bigint AS delivered,
    CASE WHEN bool_and(d.late IS NOT NULL) THEN sum(d.number - d.late)::bigint END AS on_time,
    CASE WHEN bool_and(d.late IS NOT NULL) THEN sum(d.late)::bigint END AS late,
    sum(d.seconds) / sum(d.number) AS average_seconds,
    max(d.longest_seconds) AS longest_seconds,
    d.day < daily.of(now()) AS day_is_over
FROM daily.delivery AS d
WHERE d.action <> 'none' AND d.kind <> 'message'
GROUP BY d.day, d.account_id;

COMMENT ON VIEW reporting.lateness
IS 'What was written to the org, against the promise: one row per day and account.';
COMMENT ON COLUMN reporting.lateness.day IS 'The day of the org''s answer, UTC.';
COMMENT ON COLUMN reporting.lateness.account_id IS 'The account.';
COMMENT ON COLUMN reporting.lateness.delivered IS 'What was created, updated or deleted.';
COMMENT ON COLUMN reporting.lateness.on_time IS 'Those within the promise; NULL: not counted yet.';
COMMENT ON COLUMN reporting.lateness.late IS 'The others; NULL: not counted yet.';
COMMENT ON COLUMN reporting.lateness.average_seconds IS 'As in deliveries.';
COMMENT ON COLUMN reporting.lateness.longest_seconds IS 'As in deliveries.';
COMMENT ON COLUMN reporting.lateness.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.failures AS
SELECT
    r.day,
    r.account_id,
    r.flow,
    r.object,
    r.error_code,
    r.number,
    r.day < daily.of(now()) AS day_is_over
FROM daily.refusal AS r;

COMMENT ON VIEW reporting.failures
IS 'Tries that the org refused: one row per day, account, flow, object and code. What an incident '
   'holds up loses no try, and is counted with the incident.';
COMMENT ON COLUMN reporting.failures.day IS 'The day of the answer, UTC.';
COMMENT ON COLUMN reporting.failures.account_id IS 'The account.';
COMMENT ON COLUMN reporting.failures.flow IS 'The flow.';
COMMENT ON COLUMN reporting.failures.object IS 'The object by its API name; empty: not known.';
COMMENT ON COLUMN reporting.failures.error_code IS 'The code of the org, or of ours.';
COMMENT ON COLUMN reporting.failures.number IS 'Tries: one operation may have several a day.';
COMMENT ON COLUMN reporting.failures.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.api_calls AS
SELECT c.day, c.account_id, c.kind, c.number AS calls, c.day < daily.of(now()) AS day_is_over
FROM daily.api_call AS c;

COMMENT ON VIEW reporting.api_calls
IS 'Requests to the org that count there: one row per day, account and kind. cycles has their share.';
COMMENT ON COLUMN reporting.api_calls.day IS 'The day on which their cycle ended, UTC.';
COMMENT ON COLUMN reporting.api_calls.account_id IS 'The account.';
COMMENT ON COLUMN reporting.api_calls.kind IS 'What they were for: login, query, composite, …';
COMMENT ON COLUMN reporting.api_calls.calls IS 'How many.';
COMMENT ON COLUMN reporting.api_calls.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.outcomes AS
SELECT o.day, o.account_id, o.topic, o.outcome, o.number, o.day < daily.of(now()) AS day_is_over
FROM daily.outcome AS o;

COMMENT ON VIEW reporting.outcomes
IS 'All that cycles count, in the words of Dagster''s assets: one row per day, account, topic and '
   'outcome. Of topics and outcomes there may be others in each version of the pipeline.';
COMMENT ON COLUMN reporting.outcomes.day IS 'The day on which their cycle ended, UTC.';
COMMENT ON COLUMN reporting.outcomes.account_id IS 'The account.';
COMMENT ON COLUMN reporting.outcomes.topic IS 'The asset.';
COMMENT ON COLUMN reporting.outcomes.outcome IS 'What came out: leads_created, failed, …';
COMMENT ON COLUMN reporting.outcomes.number IS 'How often.';
COMMENT ON COLUMN reporting.outcomes.day_is_over IS 'False for today: its numbers still grow.';

CREATE VIEW reporting.people AS
SELECT s.day, s.account_id, s.object, s.number AS people, s.counted_at
FROM daily.stock AS s
WHERE s.what = 'people';

COMMENT ON VIEW reporting.people
IS 'People whose record in the org is known: one row per day, account and object.';
COMMENT ON COLUMN reporting.people.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.people.account_id IS 'The account.';
COMMENT ON COLUMN reporting.people.object IS 'What stands for them: Lead or Contact.';
COMMENT ON COLUMN reporting.people.people IS 'How many there were, when the day was counted last.';
COMMENT ON COLUMN reporting.people.counted_at IS 'When that was.';

CREATE VIEW reporting.members AS
SELECT
    s.day,
    s.account_id,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'members'), 0)::bigint AS members,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'campaigns'), 0)::bigint AS campaigns,
    max(s.counted_at) AS counted_at
FROM daily.stock AS s
WHERE s.what IN ('members', 'campaigns')
GROUP BY s.day, s.account_id;

COMMENT ON VIEW reporting.members IS 'Members of campaigns: one row per day and account that has some.';
COMMENT ON COLUMN reporting.members.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.members.account_id IS 'The account.';
COMMENT ON COLUMN reporting.members.members IS 'Members that stand in the org for people of the source.';
COMMENT ON COLUMN reporting.members.campaigns IS 'Campaigns of events, sessions and series.';
COMMENT ON COLUMN reporting.members.counted_at IS 'When the day was counted last.';

CREATE VIEW reporting.engagement AS
SELECT
    s.day,
    s.account_id,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'prospects'), 0)::bigint AS prospects,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'prospects gone'), 0)::bigint AS prospects_gone,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'engaged people' AND s.object = 'Lead'), 0)::bigint
        AS leads,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'engaged people' AND s.object = 'Contact'), 0)::bigint
        AS contacts,
    max(s.counted_at) AS counted_at
FROM daily.stock AS s
WHERE s.what IN ('prospects', 'prospects gone', 'engaged people')
GROUP BY s.day, s.account_id;

COMMENT ON VIEW reporting.engagement
IS 'The engagement workflow: one row per day and account that has prospects.';
COMMENT ON COLUMN reporting.engagement.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.engagement.account_id IS 'The account.';
COMMENT ON COLUMN reporting.engagement.prospects IS 'Prospects of the source.';
COMMENT ON COLUMN reporting.engagement.prospects_gone
IS 'Prospects that left the source, or whose record people deleted in the org.';
COMMENT ON COLUMN reporting.engagement.leads IS 'Leads that have, or are to have, data of a prospect.';
COMMENT ON COLUMN reporting.engagement.contacts IS 'Contacts likewise.';
COMMENT ON COLUMN reporting.engagement.counted_at IS 'When the day was counted last.';

CREATE VIEW reporting.opportunities AS
SELECT
    s.day,
    s.account_id,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'tracked leads'), 0)::bigint AS tracked_leads,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'tracked leads rejected'), 0)::bigint
        AS tracked_leads_rejected,
    coalesce(sum(s.number) FILTER (WHERE s.object = 'Opportunity'), 0)::bigint AS opportunities,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'opportunities matched'), 0)::bigint AS matched,
    coalesce(sum(s.number) FILTER (WHERE s.what = 'opportunities waiting'), 0)::bigint AS waiting,
    max(s.counted_at) AS counted_at
FROM daily.stock AS s
WHERE
    s.what IN (
        'tracked leads', 'tracked leads rejected', 'opportunities matched', 'opportunities waiting',
        'opportunities not looked at'
    )
GROUP BY s.day, s.account_id;

COMMENT ON VIEW reporting.opportunities
IS 'Tracked leads and opportunities: one row per day and account that has some.';
COMMENT ON COLUMN reporting.opportunities.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.opportunities.account_id IS 'The account.';
COMMENT ON COLUMN reporting.opportunities.tracked_leads IS 'Leads of the tracker that are to be sent.';
COMMENT ON COLUMN reporting.opportunities.tracked_leads_rejected IS 'Those that are not.';
COMMENT ON COLUMN reporting.opportunities.opportunities IS 'Opportunities of the org that were read.';
COMMENT ON COLUMN reporting.opportunities.matched IS 'Those that belong to a tracked lead.';
COMMENT ON COLUMN reporting.opportunities.waiting IS 'Those that have no match yet.';
COMMENT ON COLUMN reporting.opportunities.counted_at IS 'When the day was counted last.';

CREATE VIEW reporting.queue AS
SELECT s.day, s.account_id, s.object AS kind, s.what AS state, s.number, s.counted_at
FROM daily.stock AS s
WHERE
    s.what IN ('pending', 'held', 'in_flight', 'failed', 'exhausted', 'left_out', 'dropped');

COMMENT ON VIEW reporting.queue
IS 'Operations that are not settled, or are not to be: one row per day, account, kind and state.';
COMMENT ON COLUMN reporting.queue.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.queue.account_id IS 'The account.';
COMMENT ON COLUMN reporting.queue.kind IS 'person, activity, campaign, member, record or message.';
COMMENT ON COLUMN reporting.queue.state
IS 'pending, held, in_flight, failed or exhausted: they wait; left_out or dropped: they do not.';
COMMENT ON COLUMN reporting.queue.number IS 'How many there were, when the day was counted last.';
COMMENT ON COLUMN reporting.queue.counted_at IS 'When that was.';

CREATE VIEW reporting.requests AS
SELECT
    r.day,
    r.account_id,
    r.kind,
    r.door,
    r.received,
    r.done,
    r.failed,
    r.received - r.done - r.failed AS waiting,
    r.seconds / nullif(r.done + r.failed, 0) AS average_seconds,
    r.longest_seconds,
    r.counted_at
FROM daily.request AS r;

COMMENT ON VIEW reporting.requests
IS 'Requests from Salesforce: one row per day on which they came, account, kind and door.';
COMMENT ON COLUMN reporting.requests.day IS 'The day on which they were received, UTC.';
COMMENT ON COLUMN reporting.requests.account_id IS 'The account.';
COMMENT ON COLUMN reporting.requests.kind IS 'removal, macro, feedback or user_data.';
COMMENT ON COLUMN reporting.requests.door
IS 'The way they came: listener, open_dsr, outbound_message, command or restored.';
COMMENT ON COLUMN reporting.requests.received IS 'How many: done + failed + waiting.';
COMMENT ON COLUMN reporting.requests.done IS 'Those of them that are done by now.';
COMMENT ON COLUMN reporting.requests.failed IS 'Those that failed.';
COMMENT ON COLUMN reporting.requests.waiting IS 'Those that wait.';
COMMENT ON COLUMN reporting.requests.average_seconds IS 'From the request to its end.';
COMMENT ON COLUMN reporting.requests.longest_seconds IS 'The longest such time.';
COMMENT ON COLUMN reporting.requests.counted_at IS 'When the numbers of the row were counted.';

CREATE VIEW reporting.incidents AS
SELECT
    i.day,
    i.account_id,
    i.error_code,
    i.object,
    i.opened,
    i.closed,
    i.day < daily.of(now()) AS day_is_over
FROM daily.incident AS i;

COMMENT ON VIEW reporting.incidents
IS 'Causes that held up many records at once: one row per day, account, code and object.';
COMMENT ON COLUMN reporting.incidents.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.incidents.account_id IS 'The account.';
COMMENT ON COLUMN reporting.incidents.error_code IS 'The code of the org.';
COMMENT ON COLUMN reporting.incidents.object IS 'The object that it holds up, by its API name.';
COMMENT ON COLUMN reporting.incidents.opened IS 'Incidents that began that day.';
COMMENT ON COLUMN reporting.incidents.closed IS 'Incidents that ended that day.';
COMMENT ON COLUMN reporting.incidents.day_is_over IS 'False for today: its numbers still grow.';

-- Lets a role read the views of `reporting`, those that come later too, and nothing else. A role that is
-- not there is made: a group without a password, for people and tools to be members of.
CREATE FUNCTION daily.let_read(reader text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA reporting TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO %I', reader);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO %I', reader);
END $$;
