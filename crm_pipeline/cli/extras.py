"""What only an extra of the package brings, such as local orgs and sample data."""

from importlib import import_module

from crm_pipeline.cli.mistakes import mistake


def need_local_org() -> None:
    """Ends the command with a line that says what to install, unless local orgs are there."""
    _need("Local orgs", "crm_pipeline.local_org.server", "local-org")


def need_sample() -> None:
    """Likewise, unless sample data can be made."""
    _need("Sample data", "crm_pipeline.sample.warehouse", "demo")


def _need(what: str, module: str, extra: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as missing:
        mistake(f"{what}: {missing.name} is not installed; pip install 'crm-pipeline[{extra}]'.")
