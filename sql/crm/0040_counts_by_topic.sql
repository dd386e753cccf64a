-- The numbers of earlier cycles by topic and outcome, as those of new ones are.
UPDATE crm.cycle AS c
SET counts = jsonb_strip_nulls(
    jsonb_build_object(
        'waiting', c.counts -> 'waiting',
        'exhausted', c.counts -> 'exhausted',
        'incidents', c.counts -> 'incidents',
        'api_calls', c.counts -> 'api_calls',
        'api_calls_forecast', c.counts -> 'api_calls_forecast',
        'api_calls_by_kind', c.counts -> 'api_calls_by_kind',
        'topics', coalesce(c.counts -> 'topics', '{}') || (
            SELECT coalesce(jsonb_object_agg(topic.name, topic.outcomes), '{}')
            FROM (
                SELECT
                    told.topic AS name,
                    jsonb_object_agg(told.outcome, told.number) AS outcomes
                FROM (
                    SELECT
                        names.topic,
                        names.outcome,
                        c.counts -> names.former AS number
                    FROM (
                        VALUES
                        ('registrations', 'registrations', 'rows'),
                        ('attendances', 'attendances', 'rows'),
                        ('rows_read', 'filtered_leads', 'rows_read'),
                        ('known', 'filtered_leads', 'known_already'),
                        ('rejected', 'filtered_leads', 'rejected'),
                        ('people', 'lead_payloads', 'people'),
                        ('intents_new', 'lead_payloads', 'activities_new'),
                        ('intents_changed', 'lead_payloads', 'activities_changed'),
                        ('retried', 'retried_operations', 'retried'),
                        ('retried_done', 'retried_operations', 'retried_done'),
                        ('leads_created', 'load_results', 'leads_created'),
                        ('leads_updated', 'load_results', 'leads_updated'),
                        ('contacts_created', 'load_results', 'contacts_created'),
                        ('contacts_updated', 'load_results', 'contacts_updated'),
                        ('people_unchanged', 'load_results', 'people_unchanged'),
                        ('people_left_out', 'load_results', 'people_left_out'),
                        ('activities_created', 'load_results', 'activities_created'),
                        ('activities_updated', 'load_results', 'activities_updated'),
                        ('activities_deleted', 'load_results', 'activities_deleted'),
                        ('activities_unchanged', 'load_results', 'activities_unchanged'),
                        ('failed', 'load_results', 'failed'),
                        ('looked_up', 'load_results', 'looked_up'),
                        ('fields_changed_to_fit', 'load_results', 'fields_changed_to_fit'),
                        ('campaigns_created', 'campaigns', 'campaigns_created'),
                        ('campaigns_linked', 'campaigns', 'campaigns_linked'),
                        ('backfills_waiting', 'campaigns', 'events_to_read_again'),
                        ('backfill_rows_waiting', 'campaigns', 'rows_to_read_again'),
                        ('members_new', 'campaign_members', 'memberships_new'),
                        ('members_changed', 'campaign_members', 'memberships_changed'),
                        (
                            'members_rejected',
                            'campaign_members',
                            'memberships_without_campaign_or_status'
                        ),
                        ('members_created', 'campaign_members', 'members_created'),
                        ('members_updated', 'campaign_members', 'members_updated'),
                        ('members_deleted', 'campaign_members', 'members_deleted'),
                        ('members_unchanged', 'campaign_members', 'members_unchanged')
                    ) AS names (former, topic, outcome)
                    UNION ALL
                    SELECT
                        'filtered_leads' AS topic,
                        'rejected: ' || reason.name AS outcome,
                        reason.number
                    FROM jsonb_each(c.counts -> 'rejected_by_reason') AS reason (name, number)
                ) AS told
                WHERE told.number IS NOT NULL AND told.number <> '0'
                GROUP BY told.topic
            ) AS topic
        )
    )
)
WHERE c.counts ? 'rows_read';
