"""Whether a module may have effects as it is loaded, as its text looks: most have none, and are not followed."""

from __future__ import annotations

import re
import sys

from smoke.static.regex import regex

_MADE = regex(rb"(?m)^(?:async )?(?:def|class) (\w+)")
_CALLED = regex(rb"(?m)^(?:\w+(?:: ?\w+)? = )?(\w+)[(.]")
_CALLED_INSIDE = regex(rb"(?m)^[ \t]+(?:[\w, ]+(?:: ?\w+)? = )?(?:\w+\()?(?:await )?(\w+)[(.]")
"""The same of blocks, a main guard's among them."""
_TAKEN = regex(rb"(?m)^(?:from +([\w.]+) +)?import +((?:\([^)]*\)|[^\n#;]*))")
TELLING = regex(
    rb"environ|open\(|StaticFiles|basicConfig|FileHandler|makedirs|mkdir|read_text|read_bytes|write_text|dictConfig|Celery\("
    rb"|Jinja2Templates|BaseSettings|EmailStr|INSTALLED_APPS|_APPS\b|MIDDLEWARE|UploadFile|Form\b|\bFile\b|OAuth2Password|dotenv"
    rb"|getlogin|lasticsearch\(|TkAgg|fileConfig|load_cert_chain|from_pyfile|from_envvar|http2|resource|iterdir|touch\(|importlib|CDLL|LoadLibrary"
    rb"|subprocess|uvicorn|create_engine|create_async_engine"
    rb"|parents\[|listdir|scandir|chdir|\.load\(|loadtxt|read_csv|read_excel|read_json|read_parquet|read_pickle|from_object|getenv"
    rb"|decouple|environs|starlette\.config|['\"]\s*\|\s*None|None\s*\|\s*['\"]"
    rb"|dataclass|NamedTuple|sqlite3|read_env|_APPLICATION|URLCONF|DATABASES|AUTHENTICATION_BACKENDS"
    rb"|\.route\(|get_event_loop|root_validator|pydantic|discord|Signal\(|argv|parse_args|\binput\(|version_info|^raise\b|AUTH_USER_MODEL|LOGGING|AppConfig|include\(|re\.compile\(|mqtt|httpx|telegram|marshmallow|first_request|ImageField|InferenceSession|load_model|ZipFile|tarfile|polars|genfromtxt|fromfile|spacy|Enum\)|setlocale|ZoneInfo\(|asyncio\.run|click|typer|lifespan|on_event|before_serving|loop_start|BackgroundScheduler|daemon=True|on_startup|^\S.*\w\[['\"]",
    re.MULTILINE,
)
"""A file without any of these has no effects that are looked for, but annotations."""
IMPORTS_LATER = regex(rb"(?m)^[ \t]+(?:import|from)\b")
"""What a function that another module calls may import."""


def calls_own(data: bytes) -> bool:
    """Whether a module may call its own functions and classes as it is loaded, as its text looks."""
    made = {*_MADE.findall(data)}
    called = {*_CALLED.findall(data)}
    if b"__main__" in data:
        called.update(_CALLED_INSIDE.findall(data))
    for module, names in _TAKEN.findall(data):
        own = module.partition(b".")[0].decode("ascii", "replace") not in sys.stdlib_module_names
        if own and not called.isdisjoint(re.findall(rb"\w+", names)):
            return True
    return bool(made) and (b"__main__" in data or not made.isdisjoint(called))
