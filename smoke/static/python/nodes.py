"""Goes through the nodes of a syntax tree: several times as fast as `ast.walk`, which took most of a run."""

from __future__ import annotations

import ast

_PLAIN = frozenset([str, bytes, int, float, complex, bool, type(None), type(...)])
_SINGLE = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
"""Nodes without anything of their own, such as `Load()`: whoever wants one asks the node that has it."""
_LEFT_OUT = _PLAIN | {each for kind in _SINGLE for each in kind.__subclasses__()}


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes that a node holds, in the order of its fields; not those that are without anything of their own."""
    found: list[ast.AST] = []
    held = node.__dict__
    for name in held:
        value = held[name]
        kind = value.__class__
        if kind is list:
            for each in value:
                if each.__class__ not in _LEFT_OUT:
                    found += (each,)  # faster than a call of `append`
        elif kind not in _LEFT_OUT:
            found += (value,)
    return found


def below(node: ast.AST) -> list[ast.AST]:
    """A node and everything in it, what is nearer first."""
    found = [node]
    for each in found:  # which grows meanwhile
        held = each.__dict__
        for name in held:
            value = held[name]
            kind = value.__class__
            if kind is list:
                for one in value:
                    if one.__class__ not in _LEFT_OUT:
                        found += (one,)
            elif kind not in _LEFT_OUT:
                found += (value,)
    return found
