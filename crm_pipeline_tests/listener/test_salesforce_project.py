"""The project for Salesforce, as far as it can be looked at without an org.

Apex goes through a parser that is not ours, wherever node is there; the metadata has the elements
that Salesforce gives where somebody retrieves such things (public samples).
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

PROJECT = Path(str(files("crm_pipeline.listener"))) / "salesforce_project"
PARSER = "@apexdevtools/apex-parser@5.2.0"
SCRIPT = Path(__file__).with_name("parse_apex.mjs")
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"

SAMPLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ExternalCredential": {
        "": ("authenticationProtocol", "description", "externalCredentialParameters", "label"),
        "externalCredentialParameters": (
            "parameterGroup",
            "parameterName",
            "parameterType",
            "parameterValue",
            "sequenceNumber",
        ),
    },
    "NamedCredential": {
        "": (
            "allowMergeFieldsInBody",
            "allowMergeFieldsInHeader",
            "calloutStatus",
            "generateAuthorizationHeader",
            "label",
            "namedCredentialParameters",
            "namedCredentialType",
        ),
        "namedCredentialParameters": (
            "externalCredential",
            "parameterName",
            "parameterType",
            "parameterValue",
        ),
    },
    "PermissionSet": {
        "": (
            "classAccesses",
            "description",
            "externalCredentialPrincipalAccesses",
            "flowAccesses",
            "hasActivationRequired",
            "label",
        ),
    },
    "ApexClass": {"": ("apiVersion", "status")},
}
"""Elements of retrieved samples, by type and the element that they stand in."""


def names(element: Element) -> list[str]:
    return [each.tag.removeprefix(NAMESPACE) for each in element]


@pytest.mark.parametrize(
    "file", sorted(PROJECT.rglob("*-meta.xml")), ids=lambda file: file.name.partition(".")[2]
)
def test_metadata_has_the_elements_of_published_samples(file: Path):
    root = fromstring(file.read_bytes())
    kind = root.tag.removeprefix(NAMESPACE)
    if kind == "Flow":
        assert {"actionCalls", "apiVersion", "label", "processType", "start", "status"} <= set(
            names(root)
        )
        return
    sample = SAMPLES[kind]
    for element, known in ((root, sample[""]), *((each, sample.get(n)) for each, n in inner(root))):
        if known is not None:
            assert set(names(element)) <= set(known)
            assert names(element) == sorted(names(element))


def inner(root: Element) -> list[tuple[Element, str]]:
    return [(each, each.tag.removeprefix(NAMESPACE)) for each in root]


def test_a_credential_says_to_which_group_each_parameter_belongs():
    """A principal is a group of its own, which permission sets name; headers are everybody's."""
    [file] = PROJECT.rglob("*.externalCredential-meta.xml")
    said = [
        {each.tag.removeprefix(NAMESPACE): each.text for each in parameter}
        for parameter in fromstring(file.read_bytes()).iter(
            f"{NAMESPACE}externalCredentialParameters"
        )
    ]
    groups = {each["parameterType"]: each["parameterGroup"] for each in said}
    assert groups == {"NamedPrincipal": "Listener", "AuthHeader": "DefaultGroup"}


@pytest.fixture(scope="module")
def parser_folder() -> Path:
    """The folder where the parser is installed; kept from run to run."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node is not installed")
    folder = Path(__file__).parents[2] / ".data" / "apex-parser"
    if not (folder / "node_modules" / "@apexdevtools" / "apex-parser").exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PARSER]
        subprocess.run(install, check=True, timeout=300, capture_output=True)
    return folder


def errors_of(parser_folder: Path, *classes: Path) -> list[str]:
    ran = subprocess.run(
        ["node", str(SCRIPT), *map(str, classes)],
        env={**os.environ, "APEX_PARSER_FOLDER": str(parser_folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout.splitlines()


def test_the_classes_are_apex(parser_folder: Path, tmp_path: Path):
    classes = sorted(PROJECT.rglob("*.cls"))
    assert len(classes) == 2
    assert errors_of(parser_folder, *classes) == []
    broken = tmp_path / "Broken.cls"
    said = classes[0].read_text(encoding="utf-8")
    broken.write_text(said.replace("new Http().send(request);", "new Http().send(request)", 1))
    assert errors_of(parser_folder, broken)
