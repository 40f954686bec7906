"""Dockerfiles that BuildKit refuses before, or as, it comes to an instruction, and the form that it takes."""

from __future__ import annotations

from tests.smoke.cases import Case, Link

TICK = "import time\n\nwhile True:\n    time.sleep(5)\n"


def dockerfile(*lines: str, base: str = "python:3.13-slim") -> str:
    """A Dockerfile that starts `tick.py`, with these lines in its middle."""
    start = 'CMD ["python3", "tick.py"]'
    return "\n".join([f"FROM {base}", "WORKDIR /opt/tick", "COPY tick.py ./", *lines, start, ""])


def refused(name: str, broken: str, healthy: str, says: str = "") -> Case:
    """One line that stops the build, and how it would be right."""
    tree = {"Dockerfile": dockerfile(healthy), "tick.py": TICK, "notes.txt": "n\n"}
    return Case(name, tree, {"Dockerfile": dockerfile(broken)}, check="dockerfile.parse", says=says, fault=broken)


CASES = (
    refused("expose-name", "EXPOSE http", "EXPOSE 8080/tcp", "http"),
    refused("expose-out-of-range", "EXPOSE 70000", "EXPOSE 7000-7010"),
    refused("expose-backwards", "EXPOSE 90-80", "EXPOSE 80-90/udp"),
    refused("expose-protocol", "EXPOSE 80/http", "EXPOSE 80/TCP", "protocol"),
    refused("expose-variable-nonsense", "ENV P=web\nEXPOSE $P", "ARG P\nEXPOSE $P"),
    refused("label-apostrophe", "LABEL title=it's", "LABEL title='it is'", "single quote"),
    refused("env-quote-open", 'ENV GREETING="hello', 'ENV GREETING="hello"', "double quote"),
    refused("env-brace-open", "ENV A=${B", "ENV A=${B:-c}"),
    refused("env-required", "ENV A=${B:?give-B}", "ARG B=1\nENV A=${B:?give-B}", "give-B"),
    refused("copy-quote-open", "COPY 'notes.txt /n", "COPY 'notes.txt' /n"),
    refused("health-time", "HEALTHCHECK --timeout=5 CMD true", "HEALTHCHECK --timeout=5s CMD true", "30s"),
    refused("health-retries", "HEALTHCHECK --retries=few CMD true", "HEALTHCHECK --retries=3 CMD true"),
    refused("health-negative", "HEALTHCHECK --interval=-5s CMD true", "HEALTHCHECK --interval=1m30s CMD true"),
    refused("health-flag", "HEALTHCHECK --period=5s CMD true", "HEALTHCHECK --start-period=5s CMD true"),
    refused("mount-type", "RUN --mount=type=volume,target=/c true", "RUN --mount=type=tmpfs,target=/c true", "volume"),
    refused("mount-key", "RUN --mount=type=cache,path=/c true", "RUN --mount=type=cache,dst=/c true", "path"),
    refused("mount-secret", "RUN --mount=type=secret,required true", "RUN --mount=type=secret,id=x true"),
    refused("mount-sharing", "RUN --mount=type=cache,target=/c,sharing=all true", "RUN --mount=target=/c,rw true"),
    refused("mount-size", "RUN --mount=type=cache,dst=/c,size=1m true", "RUN --mount=type=tmpfs,dst=/c,size=1m true"),
    refused("run-network", "RUN --network=bridge true", "RUN --network=none true"),
    refused("run-security", "RUN --security=off true", "RUN --security=sandbox true"),
    refused("flag-twice", "COPY --chmod=644 --chmod=600 notes.txt /n", "COPY --chmod=644 notes.txt /n", "twice"),
    refused("flag-no-value", "COPY --chown notes.txt /n", "COPY --chown=0 notes.txt /n", "value"),
    refused("flag-not-boolean", "COPY --link=yes notes.txt /n", "COPY --link=false notes.txt /n"),
    refused("flag-of-another", "COPY --checksum=sha256:0 notes.txt /n", "COPY --link notes.txt /n"),
    refused("user-flag", "USER --create 1000", "USER 1000"),
    refused("chmod-decimal", "COPY --chmod=0999 notes.txt /n", "COPY --chmod=u+x notes.txt /n"),
    refused("copy-url", "COPY https://example.org/n /n", "ADD https://example.org/n /n", "ADD"),
    refused("heredoc-open", "RUN <<END\ntrue", "RUN <<END\ntrue\nEND", "not ended"),
    refused("heredoc-target", "COPY notes.txt <<END\nEND", "COPY <<END /n\nEND"),
    refused("volume-blank", 'VOLUME [""]', 'VOLUME ["/v"]'),
    refused("shell-empty", "SHELL []", 'SHELL ["/bin/sh", "-c"]'),
    refused("workdir-over-file", "COPY notes.txt /n\nWORKDIR /n", "COPY notes.txt /n\nWORKDIR /opt/tick", "file"),
    Case(
        "copy-from-above",
        {"app/Dockerfile": dockerfile("COPY notes.txt ."), "app/tick.py": TICK, "app/notes.txt": "n\n"},
        {"app/Dockerfile": dockerfile("COPY ../README.md ."), "README.md": "r\n", "app/x": "x"},
        check="dockerfile.context",
        says="README.md",
        fault="a path that leaves the context begins at its root again",
    ),
    Case(
        "copy-matches-nothing",
        {"Dockerfile": dockerfile("COPY notes.txt uv.loc[k] requirements*.txt ./"), "tick.py": TICK, "notes.txt": ""},
        {"Dockerfile": dockerfile("COPY notes.txt uv.lock ./")},
        check="dockerfile.context",
        says="uv.lock",
        fault="a plain name must be there, a pattern may match nothing",
    ),
    Case(
        "copy-through-a-link",
        {
            "Dockerfile": dockerfile("COPY current/app /a", "COPY page /p"),
            "tick.py": TICK,
            "v2/app/x.txt": "x\n",
            "current": Link("v2"),
            "page": Link("v2/app/x.txt"),
        },
        {"Dockerfile": dockerfile("COPY outside /a"), "outside": Link("../elsewhere")},
        check="dockerfile.context",
        says="outside",
        fault="a link out of the tree leads nowhere in the context",
    ),
)
