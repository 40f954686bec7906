"""Entry scripts and shell commands, read as far as a container's last command shows in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from msgspec import Struct, field

from smoke.static.model.cases import choose
from smoke.static.model.dash import dash_stops
from smoke.static.model.demanded import demanded
from smoke.static.regex import regex

ACTIVATED = "CONDA_DEFAULT_ENV"
"""The variable that names the environment of conda that is active."""
_BLOCKS = {"if": "fi", "case": "esac", "for": "done", "while": "done", "until": "done", "select": "done"}
_ENDS = frozenset(_BLOCKS.values())
_DECIDES = regex(r"(?:^|[;&|]\s*|\bthen\s+|\bdo\s+|\)\s*)\s*(?:exec|exit|set\s+--|shift)\b", re.MULTILINE)
_AT_ONCE = frozenset(["echo", "printf", "true", ":", "mkdir", "touch", "chmod", "chown", "cp", "ln", "rm", "cat", "ls"])
"""Commands that end at once: a script that ends with one starts nothing."""
_OF_DJANGO = frozenset(
    ["migrate", "collectstatic", "makemigrations", "check", "loaddata", "compilemessages", "createcachetable", "flush"]
)
"""Commands of Django's that do their work and end."""
_PREPARES = regex(
    r"(?:init|initiali[sz]e|migrat|seed|create|setup|set_up|prestart|pre_start|prepare|bootstrap|wait)(?:[-_]?[\w-]+)?\.(?:py|sh)"
    r"|wait-for(?:-it)?|wait_for\w*"
)
"""Names of programs that do something before another begins."""
_SERVES = regex(
    r"^(?:\S*/)?(?:(?:python[\d.]*\s+)?(?:-m\s+)?(?:\S*/)?(?:manage\.py|django-admin(?:\.py)?)\s+runserver"
    r"|(?:python[\d.]*\s+-m\s+)?(?:uvicorn|gunicorn|hypercorn|daphne|waitress-serve|granian|uwsgi|flask\s+.*run)\b)"
)
"""Commands that stay: what follows them in a script is reached as they end."""
_PROXIES = frozenset(["nginx", "caddy", "haproxy", "apache2", "apachectl", "apache2ctl", "httpd", "traefik", "envoy"])
"""Programs that serve at a port of their own, by themselves or told by `service`."""
_GIVEN = regex(r"\$\{?[@*1-9]|\$#|\bshift\b|\bgetopts\b")
"""How a script uses what it is given."""
_NO_START = frozenset(["wait", "tail", "sleep", "exit", "done", "fi", "esac", "}", "cd", "export", "source", "."])
"""Last commands of a script that started something before."""
_FUNCTION = regex(r"function\s+([\w-]+)|(\w[\w-]*)\s*\(\)")
_VARIABLE = regex(r"\$(?:\{(\w+)(?::?([-=+?])([^{}$]*))?\}|(\w+))")


class Followed(Struct):
    """What a script comes to."""

    words: tuple[str, ...] = ()
    """Its last command."""
    before: list[tuple[str, ...]] = field(default_factory=list)
    """Commands that have to succeed before it."""
    environment: dict[str, str] = field(default_factory=dict)
    """What it adds to the environment."""
    directory: str = ""
    """Where it changes to; empty when it does not."""
    doubt: str = ""
    trouble: str = ""
    dash: str = ""
    """What is wrong if `sh` is Debian's."""
    functions: set[str] = field(default_factory=set)
    """Names of its own, which are not programs."""
    demanded: tuple[str, ...] = ()
    """Variables without which it ends: `${NAME:?}`, or any under `set -u`."""
    sourced: list[str] = field(default_factory=list)
    """Files that it must be able to read, as it names them."""
    written: list[str] = field(default_factory=list)
    """Files that it must be able to write, by their absolute paths, and directories with a slash behind."""
    prepares: str = ""
    """What it ends with by its name alone, where it is given something and drops it."""
    proxied: bool = False
    """Whether it starts a proxy, which may stand in front of what it runs in the end."""
    borrows: bool = False
    """Whether it reads other scripts, which may define more of them."""

    def is_own(self, name: str) -> bool:
        """Whether a name may be a function of the script."""
        return name in self.functions or (self.borrows and "/" not in name)


def follow_command(text: str, environment: Mapping[str, str]) -> Followed:
    """What `sh -c TEXT` runs in the end."""
    found = Followed()
    commands = _commands(text)
    if commands is None:
        found.doubt = "a shell script decides what is started"
        return found
    for index, (words, joint) in enumerate(commands):
        last = index == len(commands) - 1
        if joint == "&" and last:
            found.trouble = f"the shell puts {words[0]} into the background and ends, and the container with it"
            return found
        if joint in ("|", "&", "||"):
            found.doubt = "a shell script decides what is started"
            return found
        known = {**environment, **found.environment}
        expanded = [each for word in words for each in _expanded(word, known)]
        if not last:
            _step(found, expanded, joint == "&&")
        else:
            _final(found, expanded)
    return found


def follow_script(text: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Followed:
    """What an entry script runs in the end, when it is given these arguments."""
    found = Followed()
    choice = choose(text, arguments)
    text, found.trouble, found.doubt = choice.text, choice.trouble, choice.doubt
    lines = _logical(text)
    stop = any(re.match(r"set\s+-\w*e", line) for line in lines) or bool(re.match(r"#!.*\s-\w*e", text))
    found.functions = {match[1] or match[2] for match in map(_FUNCTION.match, lines) if match is not None}
    if re.match(r"#!\s*(?:/usr)?/bin/(?:env\s+)?(?:da)?sh\b", text):
        found.dash = dash_stops(text, errexit=stop)
    found.demanded = demanded(text)
    last, blocks, unclosed = _outside_blocks(found, lines, environment, arguments, stop, endless="break" not in text)
    if _DECIDES.search(_without_functions(blocks)) or unclosed or not last:
        found.doubt = "an entry script decides what is started"
        return found
    _last(found, last, environment, arguments)
    soon = _ends_soon(found.words) if arguments and found.words and not _GIVEN.search(text) else ""
    if soon and (not _PREPARES.fullmatch(soon) or _SERVES.search(" ".join(arguments))):
        found.trouble = in_vain(soon)
    elif soon:
        found.prepares = soon
    return found


def in_vain(last: str) -> str:
    """What is wrong with an entry script that drops what it is given."""
    return f"the entry script ends with {last} and runs nothing of what it is given"


def _ends_soon(words: tuple[str, ...]) -> str:
    """The command of a framework that does its work and ends; empty where it may be what the container is for."""
    name, rest = words[0].rpartition("/")[2], words[1:]
    if re.fullmatch(r"python[\d.]*", name) and rest:
        name, rest = rest[0].rpartition("/")[2], rest[1:]
    if name in ("manage.py", "django-admin") and rest and rest[0] in _OF_DJANGO:
        return f"{name} {rest[0]}"
    if name == "-m" and rest:
        name, rest = rest[0], rest[1:]
    if (name in ("alembic", "aerich") and rest) or (name == "flask" and "db" in rest):
        return " ".join((name, *rest[:2]))
    return name if _PREPARES.fullmatch(name) else ""


def _outside_blocks(
    found: Followed,
    lines: list[str],
    environment: Mapping[str, str],
    arguments: tuple[str, ...],
    stop: bool,
    *,
    endless: bool,
) -> tuple[str, str, bool]:
    """Follow the lines that stand in no block but the last of them: that one, the text of the blocks, and whether one
    of these is not closed. `endless`: loops end by their conditions alone."""
    depth, blocks, last = 0, "", ""
    for line in lines:
        first = re.split(r"[\s;(]", line, maxsplit=1)[0]
        if depth or first in _BLOCKS or _FUNCTION.match(line):
            if last:
                # What stands before a block is run before it.
                _line(found, last, environment, arguments, stop)
                last = ""
            depth = max(0, depth + _deeper(line))
            if endless and (condition := _awaited(line)):
                found.before.append(condition)
            blocks += line + "\n"
            continue
        if last:
            _line(found, last, environment, arguments, stop)
        last = line
    return last, blocks, bool(depth)


def _deeper(line: str) -> int:
    """How many more blocks a line opens than it closes."""
    opened = len(re.findall(r"(?:^|[;&|]\s*|\bdo\s+|\bthen\s+|\belse\s+)(?:if|case|for|while|until|select)\b", line))
    closed = len(re.findall(r"(?:^|[;&|]\s*|\s)(?:fi|esac|done)\b", line))
    braced = re.search(r"\(\)|^\}|^function\b|\{$", line)
    return opened - closed + (line.count("{") - line.count("}") if braced else 0)


def _last(found: Followed, last: str, environment: Mapping[str, str], arguments: tuple[str, ...]) -> None:
    """The last line of a script: what it starts."""
    known = {**environment, **found.environment}
    if re.fullmatch(r"""(?:exec\s+)?(?:"\$@"|\$@|"\$\{@\}"|\$\*)""", last):
        serves = next((words for words in found.before if _SERVES.search(" ".join(words))), ())
        if not arguments and not serves:
            found.trouble = "the entry script runs what it is given, and it is given nothing"
        found.words = arguments or serves
        return
    commands = _commands(last)
    if commands is None:
        found.doubt = "an entry script decides what is started"
        return
    for index, (words, joint) in enumerate(commands):
        if joint in ("|", "&", "||"):
            found.doubt = "an entry script decides what is started"
            return
        expanded = [each for word in words for each in _with_arguments(word, known, arguments)]
        if index < len(commands) - 1:
            _step(found, expanded, joint == "&&")
        else:
            _final(found, expanded)
            if arguments and found.words and found.words[0] in _AT_ONCE:
                found.trouble = in_vain(found.words[0])


def _awaited(line: str) -> tuple[str, ...]:
    """The command that a loop waits for: it never ends when there is no such program."""
    match = re.match(r"(?:until|while\s+!)\s+([\w./-]+)((?:\s+[^;|&<>]*)?)(?:\s*[\d&]*>[>&]?\s*\S+)*\s*(?:;.*)?$", line)
    return () if match is None else (match[1], *match[2].split())


def _without_functions(text: str) -> str:
    return re.sub(r"(?ms)^(?:function\s+)?[\w-]+\s*\(\)\s*\{.*?^\}", "", text)


def _line(found: Followed, line: str, environment: Mapping[str, str], arguments: tuple[str, ...], stop: bool) -> None:
    if _DECIDES.match(line) and not re.match(r"exec\s+\d*[<>]", line):
        found.doubt = found.doubt or "an entry script decides what is started"
    commands = _commands(line)
    if commands is None:
        return
    if stop and len(commands) == 1 and (target := re.search(r"(?<![\d&<])>{1,2}\s*\"?(/[\w./-]+)\"?\s*$", line)):
        found.written.append(target[1])
    for words, _ in commands:
        known = {**environment, **found.environment}
        _step(found, [each for word in words for each in _with_arguments(word, known, arguments)], stop)


def _step(found: Followed, words: list[str], must: bool) -> None:
    """A command before the last one."""
    while words and (match := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", words[0], re.DOTALL)):
        if "$" not in match[2]:
            found.environment[match[1]] = match[2]
        else:
            found.environment.pop(match[1], None)
        words = words[1:]
    if not words:
        return
    found.proxied = found.proxied or bool(_PROXIES & {each.rpartition("/")[2] for each in words[:2]})
    match words[0]:
        case "cd" if len(words) > 1 and "$" not in words[1]:
            found.directory = (
                words[1] if words[1].startswith("/") or not found.directory else f"{found.directory}/{words[1]}"
            )
        case "export":
            _step(found, words[1:], False)
        case "conda" | "mamba" | "micromamba" if words[1:2] == ["activate"] and len(words) < 4:
            found.environment[ACTIVATED] = words[2] if len(words) > 2 else "base"
        case "source" | ".":
            _sourced(found, words)
            if must and len(words) == 2 and "/" in words[1] and not set(words[1]) & set("$*?[~`"):
                found.sourced.append(f"{found.directory}/{words[1]}" if found.directory else words[1])
        case "set" | "echo" | "printf" | "sleep" | "ulimit" | "umask" | "trap" | "unset" | "true" | "wait" | ":":
            pass
        case _ if must:
            found.before.append(tuple(words))
            if words[0] in ("mkdir", "touch") and not any("=" in word or "$" in word or "*" in word for word in words):
                paths = [word for word in words[1:] if word.startswith("/")]
                found.written += [f"{each.rstrip('/')}/" if words[0] == "mkdir" else each for each in paths]


def _sourced(found: Followed, words: list[str]) -> None:
    """`source`: an environment is activated, or another script read."""
    if words[1:2] == ["activate"]:
        found.environment[ACTIVATED] = words[2] if len(words) > 2 else "base"
    elif len(words) > 1 and words[1].endswith("/bin/activate"):
        found.environment["VIRTUAL_ENV"] = words[1].removesuffix("/bin/activate")
    else:
        found.borrows = True


def _final(found: Followed, words: list[str]) -> None:
    while words and (words[0] in ("exec", "command", "time") or re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL)):
        if "=" in words[0]:
            name, _, value = words[0].partition("=")
            found.environment[name] = value
        words = words[1:]
        while words[:1] == ["-a"] or words[:1] == ["-c"]:
            words = words[2:]
    found.words = tuple(words)
    if not words or words[0] in _NO_START or found.is_own(words[0]):
        found.doubt = found.doubt or "a shell script decides what is started"


def _logical(text: str) -> list[str]:
    """Lines without comments, continued ones joined."""
    text = re.sub(r"\\\r?\n", " ", text)
    lines = (re.sub(r"(?:^|\s)#.*$", "", line).strip() for line in text.split("\n"))
    return [line for line in lines if line]


def _commands(text: str) -> list[tuple[list[str], str]] | None:
    """Simple commands, each with what joins it to the next; none when the text holds more than those."""
    if re.search(r"\$\(|`|<<|\(\)|<\(", text):
        return None
    try:
        lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=";&|<>()")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
    except ValueError:
        return None
    commands: list[tuple[list[str], str]] = []
    current: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word and set(word) <= set(";&|"):
            if current:
                commands.append((current, word))
            current = []
        elif word and set(word) <= set("<>&"):
            skip = True
            if current and current[-1].isdigit():
                current.pop()
        elif word in (*_BLOCKS, *_ENDS, "then", "do", "else", "elif", "{", "}", "(", ")", "!", "[["):
            return None
        else:
            current.append(word)
    if current:
        commands.append((current, ""))
    return commands or None


def _expanded(word: str, known: Mapping[str, str]) -> list[str]:
    """A word with the variables that are known; one that comes to nothing is gone."""
    if "$" not in word:
        return [word]

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[4]
        if name in known and (known[name] or match[2] is None):
            return match[3] if match[2] == "+" else known[name]
        if match[2] in ("-", "="):
            return match[3] or ""
        return "" if match[2] == "+" else match[0]

    text = _VARIABLE.sub(value, word)
    return text.split() if " " in text and _VARIABLE.fullmatch(word) else [text] if text else []


def _with_arguments(word: str, known: Mapping[str, str], arguments: tuple[str, ...]) -> list[str]:
    if word in ("$@", "${@}", "$*"):
        return list(arguments)
    numbered = re.fullmatch(r"\$\{?([1-9])\}?", word)
    if numbered is not None:
        place = int(numbered[1]) - 1
        return [arguments[place]] if place < len(arguments) else []
    return _expanded(word, known)
