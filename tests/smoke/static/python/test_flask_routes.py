"""Functions of one name that one app of Flask gets routes to."""

from __future__ import annotations

import ast

from smoke.static.python.flask_routes import twice_routed


def test_one_endpoint_has_one_function() -> None:
    route = "@app.route('/{}')\ndef {}(): pass\n"
    app = "app = Flask(__name__)\n"
    assert [line for line, _ in twice_routed(ast.parse(app + route.format("a", "f") + route.format("b", "f")))] == [5]
    assert list(twice_routed(ast.parse(app + route.format("a", "f") + route.format("b", "g")))) == []
