"""Words that a shell knows of itself: no program of the image is started for them."""

from __future__ import annotations

BUILTINS = frozenset(
    [
        *[".", ":", "[", "[[", "alias", "bg", "break", "cd", "command", "continue", "declare", "echo", "eval", "exec"],
        *["exit", "export", "false", "fg", "getopts", "hash", "help", "jobs", "kill", "let", "local", "popd", "printf"],
        *["pushd", "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source", "test", "times", "trap"],
        *["bind", "builtin", "caller", "compgen", "complete", "compopt", "coproc", "dirs", "disown", "enable"],
        *["history", "logout", "mapfile", "readarray", "suspend", "deactivate"],
        *["true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait", "sudo"],
    ]
)
