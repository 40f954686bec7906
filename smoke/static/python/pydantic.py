"""Environment variables that a class of pydantic's settings demands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.effects import Demand
from smoke.static.python.nodes import below

_SIMPLE = frozenset(
    [
        *["str", "int", "float", "bool", "SecretStr", "PostgresDsn", "RedisDsn", "AnyUrl", "HttpUrl", "AnyHttpUrl"],
        *["MongoDsn", "AmqpDsn", "KafkaDsn", "MySQLDsn", "Path", "DirectoryPath", "FilePath", "EmailStr", "UUID"],
    ]
)


def demanded(node: ast.ClassDef) -> Iterator[Demand]:
    """The variables that a class of pydantic's settings demands: its plain fields without a default."""
    prefix, file = "", ""
    for each in below(node):
        key, value = "", None
        if isinstance(each, ast.keyword):
            key, value = each.arg or "", each.value
        elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            key, value = each.targets[0].id, each.value
        if key == "env_prefix" and isinstance(value, ast.Constant):
            prefix = str(value.value)
        if key in ("env_file", "secrets_dir", "toml_file", "yaml_file") and value is not None:
            file = str(value.value) if isinstance(value, ast.Constant) and value.value else "?"
        if key in ("alias_generator", "fields", "settings_customise_sources"):
            return
    if any(_may_fill(each) for each in node.body):
        return  # what is missing may be made up
    for each in node.body:
        if not (isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)):
            continue
        if dotted(each.annotation).rpartition(".")[2] not in _SIMPLE:
            continue
        required = each.value is None or (
            isinstance(each.value, ast.Call)
            and dotted(each.value.func).rpartition(".")[2] == "Field"
            and not {"alias", "validation_alias", "default", "default_factory", "env"}
            & {one.arg for one in each.value.keywords}
            and (
                not each.value.args
                or (isinstance(each.value.args[0], ast.Constant) and each.value.args[0].value is ...)
            )
        )
        if required:
            yield Demand(
                line=each.lineno, name=f"{prefix}{each.target.id}".upper(), main=False, any_case=True, file=file
            )


def _may_fill(node: ast.stmt) -> bool:
    """Whether a method may give values that the environment lacks."""
    validators = ("model_validator", "root_validator", "validator", "field_validator")
    return isinstance(node, ast.FunctionDef) and (
        node.name == "settings_customise_sources"
        or any(call_name(one).rpartition(".")[2] in validators for one in node.decorator_list)
    )
