"""One word for one thing: a name of a type stands for one type in all rooms."""

import ast
from collections import defaultdict
from pathlib import Path

import crm_pipeline

PACKAGE = Path(crm_pipeline.__file__).parent
APART = ("local_org",)
"""Programs of their own, which no other room imports."""


def types_by_name(*, apart: bool) -> dict[str, list[str]]:
    """The modules that define a type of each public name, in the rooms apart or in the others."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        room = file.relative_to(PACKAGE).parts[0]
        if (room in APART) is apart:
            for name in _types(ast.parse(file.read_text(encoding="utf-8"))):
                found[name].append(str(file.relative_to(PACKAGE)))
    return found


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
