"""An address of a primary and its standby leads to whichever takes writes."""

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cli.databases import where
from crm_pipeline.database.embedded import free_port
from crm_pipeline.database.engines import database_url, engine
from crm_pipeline.database.sessions import refuse_lent_connections
from crm_pipeline_tests.databases import settings_of

FORMS = {
    "as libpq has them": "127.0.0.1:{down},127.0.0.1:{up}/{name}?",
    "beside the name": "/{name}?host=127.0.0.1,127.0.0.1&port={down},{up}&",
    "as SQLAlchemy has them": "/{name}?host=127.0.0.1:{down}&host=127.0.0.1:{up}&",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_host_that_is_up_is_found(pipeline: Engine, form: str) -> None:
    down, up = free_port(), pipeline.url.port
    hosts = FORMS[form].format(down=down, up=up, name=pipeline.url.database)
    user = f"{pipeline.url.username}:{pipeline.url.password}"
    url = f"postgresql://{user}@{hosts}target_session_attrs=read-write"
    with settings_of(PIPELINE_DATABASE_URL=url, DAGSTER_DATABASE_URL=url):
        with engine("pipeline").connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        refuse_lent_connections(database_url("dagster"), "DAGSTER_DATABASE_URL")
        assert where(engine("pipeline")).endswith(f" of 127.0.0.1,127.0.0.1:{down},{up}")
        engine("pipeline").dispose()
