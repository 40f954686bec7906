"""Which distribution brings a module, and which others the well-known ones bring with them."""

from __future__ import annotations

import re

_BY_MODULE = {
    "attr": ["attrs"], "bs4": ["beautifulsoup4"], "bson": ["pymongo"], "gridfs": ["pymongo"],
    "Crypto": ["pycryptodome", "pycrypto"], "Cryptodome": ["pycryptodomex"],
    "cv2": ["opencv-python", "opencv-python-headless"], "dateutil": ["python-dateutil"], "dns": ["dnspython"],
    "docker": ["docker"], "dotenv": ["python-dotenv"], "fitz": ["pymupdf"], "flask_cors": ["flask-cors"],
    "git": ["gitpython"], "google": ["protobuf", "google-api-core", "google-auth"], "jose": ["python-jose"],
    "jwt": ["pyjwt"], "magic": ["python-magic"], "MySQLdb": ["mysqlclient"], "multipart": ["python-multipart"],
    "nacl": ["pynacl"], "OpenSSL": ["pyopenssl"], "PIL": ["pillow"], "pkg_resources": ["setuptools"],
    "psycopg2": ["psycopg2", "psycopg2-binary"], "quart_trio": ["quart-trio"], "ruamel": ["ruamel-yaml"],
    "serial": ["pyserial"], "skimage": ["scikit-image"], "sklearn": ["scikit-learn"], "socks": ["pysocks"],
    "socketio": ["python-socketio"], "engineio": ["python-engineio"], "telegram": ["python-telegram-bot"],
    "typing_extensions": ["typing-extensions"], "usb": ["pyusb"], "websocket": ["websocket-client"],
    "win32api": ["pywin32"], "wx": ["wxpython"], "yaml": ["pyyaml"], "zmq": ["pyzmq"], "zstandard": ["zstandard"],
    "h2": ["h2"], "pydantic_settings": ["pydantic-settings"], "prometheus_client": ["prometheus-client"],
    "redis": ["redis"], "_cffi_backend": ["cffi"], "markdown_it": ["markdown-it-py"], "aiohttp": ["aiohttp"],
    "distutils": ["setuptools"],
}  # fmt: skip
_BRINGS = {
    "fastapi": ["starlette", "pydantic", "typing-extensions", "anyio"], "starlette": ["anyio"],
    "anyio": ["idna", "sniffio"], "pydantic": ["pydantic-core", "annotated-types", "typing-extensions"],
    "uvicorn": ["click", "h11"], "httpx": ["httpcore", "anyio", "certifi", "idna", "sniffio", "h11"],
    "motor": ["pymongo"], "pymongo": ["dnspython"], "hypercorn": ["h11", "h2", "wsproto", "priority"],
    "h2": ["hpack", "hyperframe"],
    "quart": ["werkzeug", "jinja2", "click", "blinker", "itsdangerous", "markupsafe", "hypercorn", "aiofiles", "flask"],
    "quart-trio": ["quart", "trio", "exceptiongroup"],
    "trio": ["attrs", "outcome", "sortedcontainers", "sniffio", "idna"],
    "flask": ["werkzeug", "jinja2", "click", "blinker", "itsdangerous", "markupsafe"], "jinja2": ["markupsafe"],
    "requests": ["urllib3", "certifi", "idna", "charset-normalizer"],
    "aiohttp": ["yarl", "multidict", "attrs", "frozenlist"], "pynacl": ["cffi", "pycparser"],
    "cryptography": ["cffi", "pycparser"], "pandas": ["numpy", "python-dateutil", "pytz"],
    "sqlalchemy": ["greenlet", "typing-extensions"], "celery": ["kombu", "billiard", "vine"],
    "boto3": ["botocore", "s3transfer"], "rich": ["pygments", "markdown-it-py"], "wsproto": ["h11"],
    "docker": ["requests", "urllib3"], "web3": ["eth-account", "eth-utils"],
}  # fmt: skip
_ARM_PURE = frozenset(
    [
        "fastapi", "starlette", "uvicorn", "h11", "anyio", "idna", "sniffio", "click", "httpx", "httpcore",
        "certifi", "motor", "quart", "quart-trio", "trio", "hypercorn", "werkzeug", "jinja2", "flask", "requests",
        "wsproto", "h2", "hpack", "hyperframe", "attrs", "prometheus-client", "typing-extensions",
        "python-dateutil", "six", "pyjwt", "python-dotenv", "dnspython", "redis", "blinker", "itsdangerous",
        "outcome", "sortedcontainers", "priority", "aiofiles", "pycparser", "pydantic-settings", "annotated-types",
        "rfc8785", "python-multipart", "pytz", "tzdata", "packaging", "gunicorn", "structlog", "urllib3",
    ]
)  # fmt: skip
_ARM_WHEELS = frozenset(
    [
        "pydantic-core", "pydantic", "pymongo", "pynacl", "cryptography", "cffi", "msgspec", "blake3", "zstandard",
        "numpy", "uvloop", "httptools", "aiohttp", "yarl", "multidict", "frozenlist", "orjson", "msgpack", "pyyaml",
        "pillow", "psutil", "pyzmq", "markupsafe", "greenlet", "websockets", "watchfiles", "pycryptodome", "grpcio",
        "lxml", "bcrypt", "argon2-cffi-bindings",
    ]
)  # fmt: skip
_NO_ARM = frozenset(["intel-openmp", "mkl", "tensorflow-gpu", "pywin32", "pywin32-ctypes", "wmi", "winloop"])


def normalised(name: str) -> str:
    """A distribution's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def candidates(module: str) -> list[str]:
    """Distributions that could bring a top-level module, normalised; the most likely first."""
    known = _BY_MODULE.get(module, [])
    return list(dict.fromkeys([*known, normalised(module), f"python-{normalised(module)}"]))


def brought(declared: set[str]) -> set[str]:
    """The distributions that well-known ones among `declared` depend on, however far."""
    found: set[str] = set()
    pending = sorted(declared)
    while pending:
        for each in _BRINGS.get(pending.pop(), []):
            if each not in found:
                found.add(each)
                pending.append(each)
    return found


def on_arm64(name: str) -> bool | None:
    """Whether a distribution is known to be pure or to have aarch64 wheels; none when nothing is known."""
    if name in _NO_ARM:
        return False
    return True if name in _ARM_PURE or name in _ARM_WHEELS else None
