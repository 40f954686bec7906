"""Names that well-known distributions took away, with the version since which they are gone.

From the distributions' own changelogs (November 2026). What is not listed is not judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python import distributions as table
from smoke.static.python.conditions import Version as PythonVersion
from smoke.static.python.installed import Brought, Installed
from smoke.static.python.requirements import Requirement, at_least
from smoke.static.python.source import Import

ANY = ""
"""Instead of a name: the whole module is gone."""


class Removal(Struct, frozen=True):
    """What a version took away."""

    distribution: str
    since: str
    python: PythonVersion
    """The oldest Python that this version runs on: an older one gets an older version."""
    module: str
    names: tuple[str, ...]
    instead: str


def _gone(distribution: str, since: str, python: PythonVersion, *rows: tuple[str, str, str]) -> list[Removal]:
    return [
        Removal(
            distribution=distribution,
            since=since,
            python=python,
            module=module,
            names=tuple(names.split()) if names else (ANY,),
            instead=instead,
        )
        for module, names, instead in rows
    ]


REMOVALS = (
    *_gone("flask", "3.0", (3, 8), ("flask", "escape Markup", "markupsafe has it")),
    *_gone(
        *("flask", "2.3", (3, 8)),
        ("flask", "_app_ctx_stack _request_ctx_stack", "flask.g and the context's proxies stand for it"),
        ("flask.json", "JSONEncoder JSONDecoder", "flask.json.provider.DefaultJSONProvider stands for it"),
    ),
    *_gone("flask", "2.1", (3, 7), ("flask", "safe_join", "werkzeug.utils has it")),
    *_gone(
        *("werkzeug", "1.0", (3, 5)),
        ("werkzeug", "secure_filename cached_property import_string", "werkzeug.utils has it"),
        ("werkzeug", "generate_password_hash check_password_hash", "werkzeug.security has it"),
        ("werkzeug", "FileStorage ImmutableMultiDict MultiDict", "werkzeug.datastructures has it"),
        ("werkzeug.contrib", ANY, "distributions of their own, and werkzeug.middleware, have its parts"),
    ),
    *_gone("werkzeug", "2.1", (3, 7), ("werkzeug.security", "safe_str_cmp", "hmac.compare_digest does it")),
    *_gone(
        *("werkzeug", "3.0", (3, 8)),
        (
            "werkzeug.urls",
            "url_quote url_quote_plus url_unquote url_encode url_decode url_parse",
            "urllib.parse has it",
        ),
    ),
    *_gone(
        *("jinja2", "3.1", (3, 7)),
        ("jinja2", "Markup escape", "markupsafe has it"),
        (
            "jinja2",
            "contextfilter environmentfilter evalcontextfilter contextfunction",
            "pass_context and its kin do it",
        ),
    ),
    *_gone("markupsafe", "2.1", (3, 7), ("markupsafe", "soft_unicode", "it is soft_str")),
    *_gone("itsdangerous", "2.1", (3, 7), ("itsdangerous", "JSONWebSignatureSerializer", "PyJWT and authlib do it")),
    *_gone("itsdangerous", "2.1", (3, 7), ("itsdangerous", "TimedJSONWebSignatureSerializer json", "PyJWT does it")),
    *_gone("django", "2.0", (3, 5), ("django.core.urlresolvers", ANY, "it is django.urls")),
    *_gone(
        *("django", "3.0", (3, 6)),
        ("django.utils.six", ANY, ""),
        ("django.utils.encoding", "python_2_unicode_compatible", ""),
        ("django.utils.decorators", "available_attrs", "functools.WRAPPER_ASSIGNMENTS stands for it"),
        ("django.shortcuts", "render_to_response", "render does it"),
        ("django.contrib.staticfiles.templatetags", ANY, "django.templatetags.static has it"),
        ("django.utils.lru_cache", ANY, "functools has it"),
    ),
    *_gone(
        *("django", "4.0", (3, 8)),
        ("django.conf.urls", "url", "django.urls.re_path does it"),
        (
            "django.utils.translation",
            "ugettext ugettext_lazy ugettext_noop ungettext ungettext_lazy",
            "it has no u now",
        ),
        ("django.utils.encoding", "force_text smart_text", "it ends with _str now"),
        ("django.utils.http", "urlquote urlquote_plus urlunquote urlunquote_plus", "urllib.parse has it"),
        ("django.utils.http", "is_safe_url", "it is url_has_allowed_host_and_scheme"),
    ),
    *_gone("django", "5.0", (3, 10), ("django.utils.timezone", "utc", "datetime.timezone.utc does it")),
    *_gone("django", "5.0", (3, 10), ("django.utils.datetime_safe", ANY, "datetime does it")),
    *_gone("pydantic", "2.0", (3, 7), ("pydantic", "BaseSettings", "it is of pydantic-settings now")),
    *_gone("celery", "5.0", (3, 6), ("celery.task", ANY, "shared_task and app.task do it")),
    *_gone("celery", "5.0", (3, 6), ("celery.decorators", ANY, "shared_task and app.task do it")),
    *_gone(
        *("numpy", "1.24", (3, 8)),
        ("numpy", "float int object str complex", "the builtin type does it"),
    ),
    *_gone(
        *("numpy", "2.0", (3, 9)),
        ("numpy", "float_ complex_ unicode_ string_ NaN NAN Inf Infinity PINF NINF infty", "numpy.float64, nan, inf"),
        ("numpy", "cast source asfarray product cumproduct sometrue alltrue find_common_type", ""),
    ),
    *_gone("pandas", "2.0", (3, 8), ("pandas", "Int64Index UInt64Index Float64Index", "pandas.Index does it")),
    *_gone("scikit-learn", "0.23", (3, 6), ("sklearn.externals", "joblib", "joblib is a distribution of its own")),
    *_gone("scikit-learn", "0.20", (3, 5), ("sklearn.cross_validation", ANY, "it is sklearn.model_selection")),
    *_gone("scikit-learn", "0.20", (3, 5), ("sklearn.grid_search", ANY, "it is sklearn.model_selection")),
    *_gone("moviepy", "2.0", (3, 7), ("moviepy.editor", ANY, "moviepy itself has what it had")),
    *_gone(
        *("python-telegram-bot", "20.0", (3, 7)),
        ("telegram.ext", "Filters", "it is telegram.ext.filters"),
        ("telegram", "ParseMode ChatAction", "telegram.constants has it"),
    ),
    *_gone("aiogram", "3.0", (3, 8), ("aiogram", "executor", "Dispatcher.start_polling does it")),
    *_gone("aiogram", "3.0", (3, 8), ("aiogram.utils", "executor", "Dispatcher.start_polling does it")),
    *_gone("flask-wtf", "1.0", (3, 7), ("flask_wtf", "Form", "it is FlaskForm")),
    *_gone("pillow", "10.0", (3, 8), ("PIL.Image", "ANTIALIAS LINEAR CUBIC", "it is LANCZOS, BILINEAR or BICUBIC")),
    *_gone("openai", "1.0", (3, 7), ("openai.error", ANY, "openai itself has the exceptions")),
)
_BY_TOP: dict[str, list[Removal]] = {}
"""The same by the first part of the module's name: every import of a tree is asked about."""
for _removal in REMOVALS:
    _BY_TOP.setdefault(_removal.module.partition(".")[0], []).append(_removal)


def removed(
    installed: Installed, each: Import, version: PythonVersion | None, *, bounded: bool
) -> Iterator[tuple[Removal, str]]:
    """What an import takes that the installed version surely no longer has, with the name (`ANY`: the module);
    `bounded` says that constraints may hold versions back that are not pinned."""
    if each.level or version is None:
        return
    for removal in _BY_TOP.get(each.module.partition(".")[0], ()):
        module = each.module == removal.module or each.module.startswith(f"{removal.module}.")
        if removal.names == (ANY,):
            above, _, last = removal.module.rpartition(".")
            module = module or (each.module == above and last in each.names)
            wanted = [ANY] if module else []
        else:
            wanted = [name for name in removal.names if name in each.names] if each.module == removal.module else []
        if wanted and version >= removal.python and has_it(installed, removal, bounded=bounded):
            yield from ((removal, name) for name in wanted)


def has_it(installed: Installed, removal: Removal, *, bounded: bool) -> bool:
    """Whether what is installed is surely of a version that took it away."""
    answers = [answer for each in installed.each if (answer := _version(each, removal, bounded)) is not None]
    return bool(answers) and all(answers)


def _version(brought: Brought, removal: Removal, bounded: bool) -> bool | None:
    """Whether an installation has such a version; none when it does not have the distribution at all."""
    asked = brought.asked.get(removal.distribution)
    if asked is None:
        every, closed = brought.all()
        return False if removal.distribution in every or not closed else None
    if asked.version:
        return at_least(asked.version, removal.since)
    if _allows(asked, removal.since, least=True):
        return True
    if bounded or brought.doubts or any(name != asked.name and _holds_back(name, asked.name) for name in brought.asked):
        return False
    return _allows(asked, removal.since)


def _holds_back(name: str, other: str) -> bool:
    """Whether a distribution may want an older version of another."""
    needs = table.needs(name)
    return needs is None or other in needs


def _allows(asked: Requirement, since: str, *, least: bool = False) -> bool:
    """Whether a requirement allows any newer version; with `least`, whether it allows none before `since`. Poetry's
    tables are read without versions, so that a bare name of a pyproject.toml says nothing."""
    if asked.path.endswith("pyproject.toml") and not re.search(r"[<>=~]", asked.text):
        return False
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - it takes its time to load
    from packaging.requirements import Requirement as Parsed  # noqa: PLC0415

    try:
        specifier = Parsed(re.split(r"\s+--|\s+#", asked.text, maxsplit=1)[0]).specifier
    except InvalidRequirement:
        return False
    if least:
        bounds = [each.version.removesuffix(".*") for each in specifier if each.operator in (">=", ">", "==", "~=")]
        return any(at_least(each, since) for each in bounds)
    return specifier.contains("9999", prereleases=True)
