"""Calls that newer versions of well-known distributions refuse.

From the distributions' own changelogs (November 2026)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from smoke.static.python.dotted import dotted
from smoke.static.python.effects import Outdated

_DISCORD = frozenset({"discord.Client", "discord.AutoShardedClient", "discord.Bot", "discord.ext.commands.Bot"})


def outdated_by(node: ast.Call, name: str) -> Iterator[Outdated]:
    """What of a call a newer version refuses; `name` is what it calls, as it was imported."""
    keywords = {each.arg for each in node.keywords}
    if None in keywords:
        return
    if name == "pydantic.Field":
        for key, instead in (("regex", "pattern"), ("const", "Literal")):
            if key in keywords:
                yield Outdated(node.lineno, "pydantic", "2.0", f"Field takes no {key}: it is {instead}")
    if name == "pydantic.constr" and "regex" in keywords:
        yield Outdated(node.lineno, "pydantic", "2.0", "constr takes no regex: it is pattern")
    if name == "pydantic.root_validator" and not {"pre", "skip_on_failure"} & keywords and not node.args:
        yield Outdated(node.lineno, "pydantic", "2.0", "root_validator takes pre=True or skip_on_failure=True")
    if name in _DISCORD and "intents" not in keywords and not any(isinstance(each, ast.Starred) for each in node.args):
        yield Outdated(node.lineno, "discord-py", "2.0", f"{name} takes intents")
    if name in _HTTPX and "proxies" in keywords:
        yield Outdated(node.lineno, "httpx", "0.28", f"{name} takes no proxies: it is proxy, or mounts")
    if name == "telegram.ext.Updater" and "use_context" in keywords:
        yield Outdated(node.lineno, "python-telegram-bot", "20.0", "Updater takes no use_context: it is Application")
    if name.startswith("marshmallow.fields.") and (odd := {"missing", "default"} & keywords):
        instead = "load_default" if "missing" in odd else "dump_default"
        yield Outdated(node.lineno, "marshmallow", "4.0", f"{name} takes no {min(odd)}: it is {instead}")
    yield from _without_what_they_take(node, name, keywords)
    if name == "django.dispatch.Signal" and ("providing_args" in keywords or node.args):
        yield Outdated(node.lineno, "django", "4.0", "Signal takes no providing_args")


def _without_what_they_take(node: ast.Call, name: str, keywords: set[str | None]) -> Iterator[Outdated]:
    """Calls that lack an argument which newer versions demand."""
    if name == "paho.mqtt.client.Client" and node.args and isinstance(node.args[0], ast.Constant):
        yield Outdated(node.lineno, "paho-mqtt", "2.0", "Client takes a CallbackAPIVersion before the client's name")
    if name == "yaml.load" and len(node.args) == 1 and "Loader" not in keywords:
        yield Outdated(node.lineno, "pyyaml", "6.0", "yaml.load takes a Loader: yaml.safe_load needs none")
    if name in ("elasticsearch.Elasticsearch", "elasticsearch.AsyncElasticsearch") and _without_scheme(node):
        yield Outdated(node.lineno, "elasticsearch", "8.0", f"{name} takes URLs, or hosts with a scheme")


def _without_scheme(node: ast.Call) -> bool:
    """Whether Elasticsearch is given no host at all, or one without a scheme."""
    given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "hosts")]
    if not given:
        return not node.keywords
    hosts = given[0].elts if isinstance(given[0], ast.List) else given
    for each in hosts:
        keys = (
            {key.value for key in each.keys if isinstance(key, ast.Constant)} if isinstance(each, ast.Dict) else set()
        )
        bare = isinstance(each, ast.Constant) and isinstance(each.value, str) and "://" not in each.value
        if bare or ("host" in keys and "scheme" not in keys and None not in getattr(each, "keys", ())):
            return True
    return False


def untyped_fields(node: ast.ClassDef, bases: list[str]) -> Iterator[Outdated]:
    """Attributes of a model of pydantic's that have a plain value and no type."""
    typed = {
        each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for each in node.body if bases == ["pydantic.BaseModel"] else ():
        target = each.targets[0] if isinstance(each, ast.Assign) and len(each.targets) == 1 else None
        if not isinstance(each, ast.Assign) or not isinstance(target, ast.Name) or target.id in typed:
            continue
        plain = isinstance(each.value, ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple | ast.JoinedStr)
        if plain and not target.id.startswith("_") and target.id != "model_config":
            what = f"the attribute {target.id} of {node.name} has a value and no type, which a model refuses"
            yield Outdated(each.lineno, "pydantic", "2.0", what)


_HTTPX = frozenset({"httpx.Client", "httpx.AsyncClient"})
_BEFORE_FIRST = ("before_first_request", "before_app_first_request")


def bare_decorators(node: ast.FunctionDef | ast.AsyncFunctionDef, full: Callable[[str], str]) -> Iterator[Outdated]:
    """Decorators without parentheses that a newer version refuses."""
    for each in node.decorator_list:
        if full(dotted(each)) == "pydantic.root_validator":
            yield Outdated(each.lineno, "pydantic", "2.0", "root_validator takes pre=True or skip_on_failure=True")
        if isinstance(each, ast.Attribute) and each.attr in _BEFORE_FIRST:
            yield Outdated(each.lineno, "flask", "2.3", f"there is no {each.attr}")


def outside_context(node: ast.Call, last: str, maker: str, main: bool) -> Iterator[Outdated]:
    """Tables that Flask-SQLAlchemy is to make where no application is pushed; `maker` made what is called."""
    if maker == "sqlalchemy.create_engine" and last == "execute":
        yield Outdated(
            line=node.lineno, distribution="sqlalchemy", since="2.0", what="an engine has no execute", main=main
        )
    if maker == "flask_sqlalchemy.SQLAlchemy" and last in ("create_all", "drop_all") and not node.args:
        what = f"{last}() needs an application's context"
        yield Outdated(line=node.lineno, distribution="flask-sqlalchemy", since="3.0", what=what, main=main)
