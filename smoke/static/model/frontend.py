"""Where the build of a front end puts what it makes, as package.json and the builder's configuration tell."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_BUILDERS = (
    (regex(r"vite build"), "dist"),
    (regex(r"react-scripts build"), "build"),
    (regex(r"vue-cli-service build"), "dist"),
    (regex(r"parcel build [\w./-]+\.html"), "dist"),
)
"""What builds, without options, and the directory that it puts all into unless it is configured otherwise."""
_BESIDE = regex(r"(?:tsc|vue-tsc)(?: -b| --noEmit| --build| -p [\w./-]+)*|eslint [\w. ,-]+|rimraf [\w./]+|rm -rf \w+")
"""What may stand before it."""
_CONFIGURED = regex(r"\b(?:outDir|outputDir|root|build|dir|env|publicDir|distDir|ssr)\b")
_PLUGIN = regex(r"""from\s+['"]([^'"]+)['"]|require\(['"]([^'"]+)['"]\)""")
_PLAIN_PLUGIN = regex(
    r"vite|vitest/config|(?:node:)?(?:path|url|process)|@vitejs/plugin-[\w-]+|@tailwindcss/vite|vite-tsconfig-paths|vite-plugin-svgr"
)
_FRAMEWORKS = regex(
    r"@sveltejs/kit|@remix-run/dev|@react-router/dev|astro|nuxt|@solidjs/start|vitepress|@builder\.io/qwik|@tanstack/[\w-]*start"
    r"|vike|laravel-vite-plugin|react-app-rewired|@craco/craco|customize-cra|vite-plugin-[\w-]+|electron[\w-]*"
)
_HOOKS = frozenset(["preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare"])
_TOOLS = ("npm", "yarn", "pnpm")


def outputs(stage: Stage, name: str, rest: Sequence[str]) -> list[str] | None:
    """The directories that a package manager's command surely leaves its work in, absolute; none when it is not
    known."""
    if name not in _TOOLS or any(
        "$" in word or word.startswith(("-w", "--prefix", "-C", "--workspace")) for word in rest
    ):
        return None
    told = _package(stage)
    if told is None:
        return None
    words = [word for word in rest if not word.startswith("-")]
    scripts = told.get("scripts") or {}
    if words in (["ci"], ["install"], ["i"], ["clean-install"]) or (name == "yarn" and not words):
        hooked = not isinstance(scripts, dict) or bool(_HOOKS & scripts.keys())
        return None if hooked else [stage.path("node_modules"), stage.path("package-lock.json"), stage.path(".yarn")]
    ran = words[1:] if words[:1] in (["run"], ["run-script"]) else words if name != "npm" else []
    if len(ran) != 1 or not isinstance(scripts, dict) or f"pre{ran[0]}" in scripts or f"post{ran[0]}" in scripts:
        return None
    place = _output(stage, str(scripts.get(ran[0], "")), told)
    return None if place is None else [stage.path(place), stage.path("node_modules")]


def _package(stage: Stage) -> dict[str, Any] | None:
    try:
        told = json.loads(_text(stage, "package.json"))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _text(stage: Stage, name: str) -> str:
    entry = stage.files.find(stage.path(name))
    if entry is None or not entry.source or stage.read is None:
        return ""
    return stage.read(entry.source).decode("utf-8", "replace")


def _output(stage: Stage, script: str, told: dict[str, Any]) -> str | None:
    """The directory of a script of one builder; none when more decides about it."""
    *before, last = [each.strip() for each in script.split("&&")]
    place = next((place for pattern, place in _BUILDERS if pattern.fullmatch(last)), None)
    needs = {**_mapping(told, "dependencies"), **_mapping(told, "devDependencies")}
    if place is None or not all(_BESIDE.fullmatch(each) for each in before) or any(map(_FRAMEWORKS.fullmatch, needs)):
        return None
    if "BUILD_PATH" in stage.environment or "vue" in told or stage.files.find(stage.path(".env")) is not None:
        return None
    if any(stage.files.find(stage.path(f".env.{each}")) is not None for each in ("production", "local")):
        return None
    for name in stage.files.names(stage.workdir):
        if re.match(r"(?:vite|vue|craco|svelte|config-overrides)\b.*\.[cm]?[jt]s$", name):
            text = _text(stage, name)
            plugins = {one or other for one, other in _PLUGIN.findall(text)}
            if not text or _CONFIGURED.search(text) or not all(map(_PLAIN_PLUGIN.fullmatch, plugins)):
                return None
    return place


def _mapping(told: dict[str, Any], key: str) -> dict[str, Any]:
    held = told.get(key)
    return held if isinstance(held, dict) else {}


def surroundings(stage: Stage) -> list[str]:
    """Where such a command may write besides."""
    return [posixpath.normpath(each) for each in (stage.home() or "/root", "/tmp")]
