-- Who changed which choice of an account, when, from what to what. Credentials and keys are said to
-- be others, and not shown.
CREATE TABLE crm.account_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text NOT NULL,
    choice text NOT NULL,
    was text,
    became text
);

CREATE INDEX account_change_by_account ON crm.account_change (account_id, change_id);

-- `crm_pipeline.who` is set by whoever works for a person; otherwise the role says who it was. Of an
-- account that is deleted with all that it has, nothing is noted.
CREATE FUNCTION crm.note_account_change(account text, choice text, was text, became text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO crm.account_change (account_id, changed_by, choice, was, became)
    SELECT
        a.account_id,
        coalesce(nullif(current_setting('crm_pipeline.who', true), ''), session_user),
        note_account_change.choice,
        note_account_change.was,
        note_account_change.became
    FROM crm.account AS a
    WHERE a.account_id = note_account_change.account
$$;

-- An account's own columns, and its settings one by one.
CREATE FUNCTION crm.account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(old) - 'settings' || old.settings ELSE '{}' END;
    became jsonb := to_jsonb(new) - 'settings' || new.settings;
BEGIN
    PERFORM crm.note_account_change(new.account_id, names.name, was ->> names.name, became ->> names.name)
    FROM (
        SELECT jsonb_object_keys(was || became) AS name
    ) AS names
    WHERE
        was -> names.name IS DISTINCT FROM became -> names.name
        AND names.name NOT IN ('account_id', 'created_at', 'updated_at')
    ORDER BY names.name;
    RETURN NULL;
END $$;

CREATE TRIGGER account_changed AFTER INSERT OR UPDATE ON crm.account
FOR EACH ROW EXECUTE FUNCTION crm.account_changed();

-- Rows that are a choice each; the arguments are what it is, the columns that name it, and those
-- that are its value.
CREATE FUNCTION crm.choice_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(old) END;
    became jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(new) END;
    one jsonb := coalesce(became, was);
    name text := (
        SELECT string_agg(one ->> c, '.' ORDER BY n)
        FROM unnest(string_to_array(TG_ARGV[1], ',')) WITH ORDINALITY AS names (c, n)
    );
    said_before text := (
        SELECT string_agg(c || ' ' || (was ->> c), ', ' ORDER BY n)
        FROM unnest(string_to_array(TG_ARGV[2], ',')) WITH ORDINALITY AS names (c, n)
    );
    said_now text := (
        SELECT string_agg(c || ' ' || (became ->> c), ', ' ORDER BY n)
        FROM unnest(string_to_array(TG_ARGV[2], ',')) WITH ORDINALITY AS names (c, n)
    );
BEGIN
    PERFORM crm.note_account_change(
        one ->> 'account_id',
        concat_ws(' ', TG_ARGV[0], name),
        CASE WHEN was IS NOT NULL THEN coalesce(said_before, 'there') END,
        CASE WHEN became IS NOT NULL THEN coalesce(said_now, 'there') END
    );
    RETURN NULL;
END $$;

CREATE TRIGGER choice_changed AFTER INSERT OR UPDATE OR DELETE ON crm.field_mapping
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('mapping', 'sobject,field', 'source,constant');

CREATE TRIGGER choice_changed AFTER INSERT OR DELETE ON crm.email_filter
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('filter', 'filter_string', '');

CREATE TRIGGER choice_changed AFTER INSERT OR DELETE ON crm.pushed_session
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('session', 'event_session_id', '');

CREATE TRIGGER choice_changed AFTER INSERT OR UPDATE OR DELETE ON crm.campaign_link
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('campaign of', 'campaign_key', 'campaign_id');

CREATE TRIGGER choice_made AFTER INSERT OR DELETE ON crm.credential
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('credentials', '', '');

-- Another key of encryption changes the text, and not the credentials.
CREATE TRIGGER choice_changed AFTER UPDATE ON crm.credential
FOR EACH ROW
WHEN (old.updated_at IS DISTINCT FROM new.updated_at)
EXECUTE FUNCTION crm.choice_changed('credentials', '', '');

CREATE TRIGGER choice_changed AFTER INSERT OR UPDATE OR DELETE ON crm.listener_key
FOR EACH ROW EXECUTE FUNCTION crm.choice_changed('listener key', 'key_id', 'revoked_at');
