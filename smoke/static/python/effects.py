"""What a module does as it is loaded besides making names: files it opens, environment it demands, modules it names."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, field

from smoke.static.python.paths import CodePath


class Use(Enum):
    """What is done with a path."""

    READ = "read"
    WRITE = "write"
    MAKE = "make a directory"
    SERVE = "serve a directory"


class FileUse(Struct, frozen=True):
    """A path that is used as the module is loaded."""

    line: int
    place: CodePath
    use: Use
    main: bool = False
    """Only in the module that Python was started with."""
    alone: bool = False
    """Of a directory that is made: whether the one above has to be there."""
    new: bool = False
    """Of a directory that is made: whether it must not be there yet."""


class Climb(Struct, frozen=True):
    """`Path(...).parents[count]`, which there is only where the path is deep enough."""

    line: int
    place: CodePath
    count: int
    main: bool = False


class Parsed(Struct, frozen=True):
    """A file whose text is parsed as the module is loaded, and the form that it has to have."""

    line: int
    place: CodePath
    form: str
    """`JSON` or `TOML`."""
    main: bool = False


class AskedArguments(Struct, frozen=True):
    """Arguments without which the program ends: `sys.argv[1]`, required options."""

    line: int
    by: str
    options: tuple[str, ...] = ()
    """Names of an option; empty for operands."""
    count: int = 1
    """How many operands there must be."""
    main: bool = False
    what: str = ""
    """What the one operand is; empty where that is not known."""
    choices: tuple[str, ...] = ()
    """What it may be, as far as its own module tells."""


class CallOut(Struct, frozen=True):
    """A call of a function, or class, of another module."""

    line: int
    module: str
    level: int
    """Leading dots of the module."""
    function: str
    given: tuple[tuple[bool, str | int | None], ...] = ()
    """For each argument whether it is a plain constant, and which."""
    named: tuple[tuple[str, bool, str | int | None], ...] = ()
    main: bool = False


class Demand(Struct, frozen=True):
    """An environment variable without which loading the module fails."""

    line: int
    name: str
    main: bool = False
    any_case: bool = False
    """Whether upper and lower case are the same (pydantic's settings)."""
    file: str = ""
    """A file that may give it instead, as written."""


class Mention(Struct, frozen=True):
    """A string that names a module, or something in one."""

    line: int
    name: str
    by: str
    """The setting or call that names it."""
    main: bool = False
    """Only in the module that Python was started with."""


class Borrowed(Struct, frozen=True):
    """A name that is taken from another module, and handed on."""

    line: int
    module: str
    level: int
    """Leading dots of the module."""
    name: str
    main: bool = False


class Outdated(Struct, frozen=True):
    """What newer versions of a distribution refuse."""

    line: int
    distribution: str
    since: str
    what: str
    main: bool = False


class Extra(Struct, frozen=True):
    """A distribution that a framework asks for only where one of its features is used."""

    line: int
    module: str
    distribution: str
    feature: str
    alone: bool = False
    """Whether no distribution needs it, so that it comes only where it is asked for by name."""
    checked: bool = False
    """Whether only Django's own checks ask for it, which most of its commands make."""


class Effects(Struct):
    """Everything of one module, in order."""

    files: list[FileUse] = field(default_factory=list)
    may_make: list[CodePath | None] = field(default_factory=list)
    """Paths that it may make, under conditions that cannot be decided; none for one that cannot be told."""
    climbs: list[Climb] = field(default_factory=list)
    parsed: list[Parsed] = field(default_factory=list)
    asked: list[AskedArguments] = field(default_factory=list)
    calls_out: list[CallOut] = field(default_factory=list)
    """Calls of what other modules have."""
    attributes: list[Mention] = field(default_factory=list)
    """Attributes of modules, by their dotted names, that its functions read as it calls them."""
    instances: list[Mention] = field(default_factory=list)
    """Own classes with bases that it makes instances of."""
    typed: list[Mention] = field(default_factory=list)
    """Calls of `input`, which wait for someone to type."""
    demands: list[Demand] = field(default_factory=list)
    reads_dotenv: bool = False
    """Whether it has python-dotenv put the variables of a .env into it, if there is one."""
    gives_environment: bool = False
    """Whether it may put variables into the environment."""
    named: list[Mention] = field(default_factory=list)
    """Modules that it names as it is loaded: `dictConfig`, `include=` of Celery."""
    configured: list[Borrowed] = field(default_factory=list)
    """What it takes from other modules and hands to `dictConfig`."""
    settings: list[Mention] = field(default_factory=list)
    """Modules named by what Django's settings are called; they count where the module is Django's settings."""
    settings_files: list[FileUse] = field(default_factory=list)
    """Files that Django's logging opens; they count where the module is Django's settings."""
    configs: list[Mention] = field(default_factory=list)
    """The `name` of each of its classes that are an app's configuration for Django."""
    settings_module: str = ""
    """Django's settings, as `DJANGO_SETTINGS_MODULE` is given by default."""
    localized: list[Mention] = field(default_factory=list)
    """Locales and time zones that it asks for."""
    programs: list[Mention] = field(default_factory=list)
    """Programs that it starts by name, as a list of words."""
    libraries: list[Mention] = field(default_factory=list)
    """Shared libraries that it loads by name."""
    distributions: list[Mention] = field(default_factory=list)
    """Distributions whose version or metadata it asks for."""
    failing: list[Mention] = field(default_factory=list)
    """Calls that surely raise, each with the reason in place of a name."""
    extras: list[Extra] = field(default_factory=list)
    outdated: list[Outdated] = field(default_factory=list)
    ran: dict[int, bool] = field(default_factory=dict)
    """Lines of imports in functions that it runs as it is loaded, and whether only as main."""
    served: Effects | None = None
    """What its app does when a server starts it, before it serves anything."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Lines with what this version of Python cannot evaluate, each with the reason."""
