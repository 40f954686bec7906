"""One source file as Python would take it: whether it parses, what it imports, which names it has afterwards."""

from __future__ import annotations

from msgspec import Struct, field

from smoke.static.python.effects import Effects
from smoke.static.python.serving import Local
from smoke.static.python.unbound import Unbound

_ALWAYS = frozenset(
    {"__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__", "__loader__", "__dict__"}
)


class Import(Struct, frozen=True):
    """One import: `import module` (no `names`) or `from module import names` (`*` among them)."""

    line: int
    module: str
    level: int = 0
    """Leading dots."""
    names: tuple[str, ...] = ()
    caught: bool = False
    """A `try` around it goes on without it, or a condition that cannot be decided may leave it out."""
    lazy: bool = False
    """A function has it; it is missed only when that runs."""
    main: bool = False
    """It runs only in the module that Python was started with."""
    attempt: int = 0
    """The `try` whose body it stands in, numbered from 1; 0 for none."""
    instead: int = 0
    """The `try` in whose handler it stands: it runs only when an import of that body fails."""
    other: bool = False
    """It runs only in a module that Python was not started with."""
    perhaps: bool = False
    """Of an attribute: whether what it is read of is a module only if its package has no such name of its own."""

    def absolute(self, package: str) -> str | None:
        """The dotted name that it means in a package; none when it leaves the top package."""
        if not self.level:
            return self.module
        parts = package.split(".") if package else []
        if self.level > len(parts):
            return None
        base = ".".join(parts[: len(parts) - self.level + 1])
        return f"{base}.{self.module}" if self.module else base

    def is_module(self, name: str, loaded: list[str]) -> bool:
        """Whether a name that it takes is one of the modules that it loads."""
        return any(path.endswith((f"/{name}.py", f"/{name}/__init__.py")) or path == f"{name}.py" for path in loaded)


class Source(Struct):
    """What one file says. With `error` Python refuses it; with `doubt` it was not read."""

    path: str
    error: str = ""
    error_line: int = 0
    doubt: str = ""
    imports: list[Import] = field(default_factory=list)
    attributes: list[Import] = field(default_factory=list)
    """Attributes of imported modules that statements at its top read, as if they were imported by name."""
    names: dict[str, int] = field(default_factory=dict)
    """Names that it has once loaded, each with its first line; those made as main only are not among them."""
    stars: list[Import] = field(default_factory=list)
    dynamic: bool = False
    """It can have names that cannot be listed: a module's `__getattr__`, writes to `globals()`, `exec`."""
    given: set[str] = field(default_factory=set)
    """Attributes that it gives to other objects at its top: one of them may be a module."""
    moves_path: bool = False
    """Whether it changes `sys.path` or what finds modules: then more may be found than the path says."""
    exports: tuple[str, ...] | None = None
    empty: bool = True
    """Whether it has no statement but a docstring."""
    main: bool = False
    """Whether it does something as a script: a block for being main, a call, a loop at its top."""
    calls: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    """Calls with a keyword `port` or `bind`, or of a name like run or serve: line, function, constants of keywords."""
    local: list[Local] = field(default_factory=list)
    """Calls by which it serves at loopback."""
    ports: set[int] = field(default_factory=set)
    """Whole numbers that a name with *port* in it is given within a class or function."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Names at module level that stand for a whole number."""
    made: dict[str, str] = field(default_factory=dict)
    """Names at its top that stand for what a class made, with the class as it is called."""
    unbound: list[Unbound] = field(default_factory=list)
    """Names that it uses as it is loaded without having them."""
    effects: Effects = field(default_factory=Effects)
    """What it does to the world around it as it is loaded."""

    @property
    def starts_django(self) -> bool:
        """Whether it makes Django read its settings as it is loaded."""
        made = {*self.made.values()}
        return bool(made & {"get_wsgi_application", "get_asgi_application"})


def has_name(source: Source, name: str) -> bool:
    """Whether a loaded module has a name of its own (star imports not followed)."""
    return name in source.names or name in _ALWAYS or source.dynamic
