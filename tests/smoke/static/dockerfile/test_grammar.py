"""What an instruction must have behind its keyword for a build to begin."""

from __future__ import annotations

import pytest

from smoke.static.dockerfile.parser import parse

REFUSED = {
    "COPY a": "needs a source and a destination",
    "ENV": "needs an argument",
    "FROM a b": "FROM takes an image",
    "FROM a AS 1b": "cannot name a stage",
    "SHELL bash": "JSON array only",
    "COPY a <<EOF\nEOF": "here-document",
    "RUN --network=lan true": "--network is default, none or host",
    "RUN --mount=type=bnd,target=/x true": "no type 'bnd'",
    "RUN --mount=type=cache,target=/x,required true": "no required for the type cache",
    "RUN --mount=type=cache,target true": "needs a value for target",
    "RUN --mount=type=secret true": "needs an id",
    "RUN --mount=type=cache,target=/x,mode=9 true": "cannot read mode=9",
    "RUN --mount=from=$X,target=/x true": "takes no variable",
    "ENV =1": "needs a name before =",
    "ENV A": "needs a value",
    "ENV A=1 B": "has no = in 'B'",
    "HEALTHCHECK curl x": "HEALTHCHECK takes NONE or CMD",
    "HEALTHCHECK NONE x": "takes no argument",
    "HEALTHCHECK --retries=many CMD true": "whole number",
    "HEALTHCHECK --interval=30 CMD true": "a time such as 30s",
    "HEALTHCHECK --interval=-1s CMD true": "below zero",
    'VOLUME [" "]': "VOLUME needs a path",
    "HEALTHCHECK --timeout=20us CMD true": "a millisecond at least",
    "HEALTHCHECK CMD []": "needs a command",
    "HEALTHCHECK CMD": "needs a command",
    'ONBUILD CMD ["a", 1]': "nothing but strings",
    "ONBUILD ENV A": "needs a value",
    "ONBUILD ONBUILD RUN true": "cannot be the trigger",
    "COPY a \N{NO-BREAK SPACE}--x <<EOF\nEOF": "here-document",
    "RUN\N{NO-BREAK SPACE}true": "unknown instruction",
}
TAKEN = (
    "COPY a b",
    "ENV A 1 2",
    "ENV A=1 B=2",
    "ARG A",
    "FROM a AS b-1.x",
    "RUN --mount=type=cache,target=/x,sharing=locked,mode=0755 true",
    "RUN --mount=type=secret,id=a,required=true true",
    "RUN --mount=type=$KIND,target=/x true",
    "RUN --network=none true",
    "HEALTHCHECK NONE",
    "HEALTHCHECK --interval=1m30s --retries=3 CMD true",
    "HEALTHCHECK --interval=0 CMD true",
    "CMD []",
    "CMD",
    "ENTRYPOINT",
    "RUN",
    "RUN <<-",
    "COPY a <<-",
    "ENV ' 1",
    "ONBUILD COPY a",
    "ONBUILD RNU true",
    "ONBUILD COPY --form=x a b",
    "HEALTHCHECK --retries=1 --retries=2 NONE",
    "HEALTHCHECK --timeout=0ms CMD true",
    "HEALTHCHECK CMD --retries=2 true",
    "RUN \N{NO-BREAK SPACE}--mount",
)


@pytest.mark.parametrize(("line", "says"), REFUSED.items())
def test_what_no_build_begins_with(line: str, says: str) -> None:
    errors = parse(f"FROM scratch\n{line}\n").errors
    assert errors and says in errors[0].message and errors[0].line == 2


@pytest.mark.parametrize("line", TAKEN)
def test_what_a_build_begins_with(line: str) -> None:
    assert parse(f"FROM scratch\n{line}\n").errors == ()
