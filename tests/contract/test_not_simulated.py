"""The table of what is not simulated: every entry names a test, and the documentation has it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.contract.not_simulated import NOT_SIMULATED

FOLDER = Path(__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.mark.parametrize("name", NOT_SIMULATED)
def test_what_is_not_simulated_is_proven_on_a_real_server(name: str) -> None:
    file, _, function = name.partition("::")
    found = ast.walk(ast.parse((FOLDER / file).read_text()))
    assert function in {node.name for node in found if isinstance(node, ast.FunctionDef)}


def test_the_documentation_has_the_same_table() -> None:
    rows = re.findall(r"^\| `([^`]+::[^`]+)` \| (.+) \|$", PAGE.read_text(), re.M)
    assert dict(rows) == NOT_SIMULATED
    assert len(rows) == len(NOT_SIMULATED)
