"""The warehouse's tables as `sql/warehouse/` has them: the columns that the extracts read.

Extracts of one's own (EXTRACT_DIR) may read others; the names of the columns that they give are the
contract, and these are where ours come from.
"""

from collections.abc import Mapping

_READ = {
    "attendance": """
        attendance_id bigint, client_id text, event_session_id bigint, person_id bigint,
        attended_at timestamptz, minutes_attended integer, shipped_at timestamptz, kind text,
        role text, joined_as text
        """,
    "chat_message": """
        chat_message_id bigint, client_id text, attendance_id bigint, message text,
        sent_at timestamptz, shipped_at timestamptz
        """,
    "chat_reply": """
        chat_reply_id bigint, client_id text, chat_message_id bigint, reply text,
        replied_at timestamptz, shipped_at timestamptz
        """,
    "event": """
        event_id bigint, client_id text, name text, starts_at timestamptz, ends_at timestamptz,
        shipped_at timestamptz, series text, budget numeric
        """,
    "event_session": """
        event_session_id bigint, event_id bigint, client_id text, title text,
        starts_at timestamptz, ends_at timestamptz, shipped_at timestamptz
        """,
    "feedback_ticket": """
        ticket_id text, client_id text, project text, feedback_type text, team text,
        status text, submitter_id bigint, title text, details text, submitted_at timestamptz,
        shipped_at timestamptz
        """,
    "interaction": """
        interaction_id bigint, client_id text, attendance_id bigint, kind text, label text,
        value text, url text, at timestamptz, shipped_at timestamptz
        """,
    "person": """
        person_id bigint, client_id text, email text, first_name text, surname text, title text,
        job_title text, company_name text, address_1 text, address_2 text, address_3 text,
        city text, county text, postal_code text, country_code text, phone_1 text,
        shipped_at timestamptz
        """,
    "poll_answer": """
        poll_answer_id bigint, client_id text, poll_question_id bigint, attendance_id bigint,
        answer text, answered_at timestamptz, shipped_at timestamptz
        """,
    "poll_question": """
        poll_question_id bigint, client_id text, question text, shipped_at timestamptz
        """,
    "prospect": """
        client_id text, prospect_id text, email text, first_name text, last_name text,
        company text, phone text, favorite boolean, temperature numeric,
        predictive_score numeric, first_visit timestamptz, last_visit timestamptz,
        visits integer, life_cycle text, merged_into text, salesforce_id text,
        shipped_at timestamptz
        """,
    "prospect_page": """
        client_id text, page_id text, prospect_id text, kind text, url text, title text,
        referrer text, seconds integer, visited_at timestamptz, shipped_at timestamptz
        """,
    "prospect_score": """
        client_id text, prospect_id text, score_id text, value numeric, grade text,
        shipped_at timestamptz
        """,
    "prospect_tag": """
        client_id text, prospect_id text, tag_id text, since timestamptz, times integer,
        shipped_at timestamptz
        """,
    "registration": """
        registration_id bigint, client_id text, event_session_id bigint, person_id bigint,
        status text, source text, registered_at timestamptz, shipped_at timestamptz,
        cancelled_at timestamptz, role text, utm_source text, utm_medium text,
        utm_campaign text, utm_term text, utm_content text, referrer text, landing_page text,
        answers jsonb, consent text, consent_at timestamptz, consent_text text,
        replaced_by bigint, join_link text
        """,
    "score_definition": """
        client_id text, score_id text, name text, kind text, description text,
        shipped_at timestamptz
        """,
    "tag_definition": """
        client_id text, tag_id text, name text, category text, description text,
        shipped_at timestamptz
        """,
    "tracked_lead": """
        lead_id bigint, client_id text, kind text, happened_at timestamptz, is_spam boolean,
        is_duplicate boolean, contact_name text, company_name text, email text, phone text,
        city text, county text, postal_code text, country_code text, message text,
        duration_seconds integer, recording_url text, source text, medium text, campaign text,
        keyword text, content text, landing_page text, referrer text, gclid text, gbraid text,
        wbraid text, fbclid text, shipped_at timestamptz
        """,
}


def _columns(said: str) -> dict[str, str]:
    return dict(each.split() for each in said.split(","))


COLUMNS_READ: Mapping[str, Mapping[str, str]] = {
    table: _columns(said) for table, said in _READ.items()
}
"""By table, the type of each column as PostgreSQL has it."""
