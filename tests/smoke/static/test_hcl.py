"""HCL as far as it is plain: blocks, texts, lists and maps; whatever else it says is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.hcl import read_hcl


def test_blocks_hold_texts_lists_and_maps() -> None:
    text = """
    # a comment
    variable "TAG" { default = "1" }
    target "app" {
      context = "."
      tags = ["shop:${TAG}", "shop"]
      args = { A = "b", "C": "d" }
    }
    """
    assert read_hcl(text) == {
        "variable": {"TAG": {"default": "1"}},
        "target": {"app": {"context": ".", "tags": ["shop:${TAG}", "shop"], "args": {"A": "b", "C": "d"}}},
    }


def test_names_are_written_as_variables_and_null_is_nothing() -> None:
    found = read_hcl('target "app" {\n target = STAGE\n dockerfile = null\n}')
    assert found["target"]["app"] == {"target": "${STAGE}", "dockerfile": None}


@pytest.mark.parametrize("text", ["", "{", 'target "a" {', 'target "a" { x = [', 'function "f" { result = 1 }'])
def test_what_is_not_plain_is_left_out(text: str) -> None:
    assert read_hcl(text) in ({}, {"target": {"a": {}}}, {"target": {"a": {"x": []}}})


@given(st.text(alphabet='target"{}[]=:, \n#ab', max_size=60))
def test_any_text_is_read(text: str) -> None:
    read_hcl(text)
