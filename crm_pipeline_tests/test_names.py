"""One word for one thing: a name of a type stands for one type in all rooms."""

import ast
from collections import defaultdict
from pathlib import Path

import crm_pipeline
from crm_pipeline.accounts.account import AccountSettings

PACKAGE = Path(crm_pipeline.__file__).parent
BELOW_FLOWS = ("cycle", "delivery", "ledger", "salesforce", "source_platform", "sources")
"""The rooms that know no flow."""

APART = ("local_org",)
"""Programs of their own, which no other room imports."""


def types_by_name(*, apart: bool) -> dict[str, list[str]]:
    """The modules that define a type of each public name, in the rooms apart or in the others.

    A flow knows no other flow: the same module of each may call the same thing alike.
    """
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for file in sorted(PACKAGE.rglob("*.py")):
        where = file.relative_to(PACKAGE)
        if (where.parts[0] in APART) is apart:
            module = where.name if where.parts[0] == "flows" else str(where)
            for name in _types(ast.parse(file.read_text(encoding="utf-8"))):
                found[name].setdefault(module, str(where))
    return {name: list(modules.values()) for name, modules in found.items()}


def _types(module: ast.Module) -> list[str]:
    names = [each.name for each in module.body if isinstance(each, ast.ClassDef)]
    for each in module.body:
        if isinstance(each, ast.Assign) and not isinstance(each.value, ast.Call):
            names += [target.id for target in each.targets if isinstance(target, ast.Name)]
    return [name for name in names if name[0].isupper() and not name.isupper()]


def test_each_name_stands_for_one_type() -> None:
    for apart in (False, True):
        several = {n: where for n, where in types_by_name(apart=apart).items() if len(where) > 1}
        assert several == {}


def test_no_room_below_the_flows_asks_for_the_settings_of_one() -> None:
    """They take what an account chose by its meaning, or from what the flow wants."""
    flows = {"attribution", "campaigns", "engagement", "inbound"}
    assert flows < AccountSettings.model_fields.keys()
    asking = {
        f"{file.relative_to(PACKAGE)}: {ast.unparse(each)}"
        for room in BELOW_FLOWS
        for file in (PACKAGE / room).rglob("*.py")
        for each in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(each, ast.Attribute)
        and each.attr in flows
        and ast.unparse(each.value).endswith(("chosen", "settings"))
    }
    assert asking == set()
