"""The pages and actions of the console, by what they are about."""

from crm_pipeline.console.pages import (
    accounts,
    alerts,
    cycles,
    deciding,
    log,
    numbers,
    people,
    plans,
    queue,
    settings,
)

PAGES = (
    *accounts.PAGES,
    *alerts.PAGES,
    *cycles.PAGES,
    *log.PAGES,
    *numbers.PAGES,
    *people.PAGES,
    *plans.PAGES,
    *queue.PAGES,
    *settings.PAGES,
)
ACTIONS = (
    *cycles.ACTIONS,
    *deciding.ACTIONS,
    *people.ACTIONS,
    *plans.ACTIONS,
    *queue.ACTIONS,
    *settings.ACTIONS,
)
