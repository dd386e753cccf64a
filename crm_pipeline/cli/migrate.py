"""`crm-pipeline migrate`: the pipeline's own tables, brought to this version."""

from crm_pipeline.cli.databases import migrated, where
from crm_pipeline.cli.show import say


def migrate() -> None:
    """Create or update the pipeline's own tables; so do `account add`, the daemon and the demo."""
    say(f"{where(migrated())} has the pipeline's tables of this version.")
