"""Topics, by the others that they are made of."""

from crm_pipeline.flows.registry import SYNC_STATE
from crm_pipeline.lineage.assets import TOPICS


def undone_without(topic: str) -> set[str]:
    """The topic, and those that are made of it: none is done where it is not.

    How the account stands is shown all the same.
    """
    undone = {topic}
    for name, each in TOPICS.items():
        if name != SYNC_STATE and undone.intersection(each.after):
            undone.add(name)
    return undone
