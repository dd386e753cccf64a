"""`crm-pipeline migrate`: the pipeline's own tables, brought to this version."""

from crm_pipeline.cli.databases import pipeline
from crm_pipeline.cli.show import say


def migrate() -> None:
    """Create or update the pipeline's own tables (schema crm); every command does so by itself."""
    where = pipeline().url
    say(f"The pipeline's tables are up to date in {where.host}:{where.port}/{where.database}.")
