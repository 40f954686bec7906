"""Names at the top of a module that stand for one constant, as conditions test them: `DEBUG = True`, `if DEBUG:`."""

from __future__ import annotations

import ast

from smoke.static.python.paths import statements


class Flags:
    """The constants of a module that are given a value once, by a plain statement at its top."""

    def __init__(self, parsed: ast.Module, plain: set[str]) -> None:
        self._values: dict[str, ast.Constant] = {}
        stars = (node for node in statements(parsed.body) if isinstance(node, ast.ImportFrom))
        if any(alias.name == "*" for node in stars for alias in node.names):
            return  # it may bring a name of the same kind
        for node in parsed.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() as value) if name in plain:
                    self._values[name] = value

    def filled(self, test: ast.expr) -> ast.expr:
        """A condition with these constants in place of their names."""
        match test:
            case ast.Name(id=name):
                return self._values.get(name, test)
            case ast.UnaryOp(op=ast.Not() as op, operand=operand):
                return ast.UnaryOp(op, self.filled(operand))
            case ast.BoolOp(op=op, values=values):
                return ast.BoolOp(op, [self.filled(each) for each in values])
            case ast.Compare(left=left, ops=[_], comparators=[right]):
                return ast.Compare(self.filled(left), test.ops, [self.filled(right)])
        return test
