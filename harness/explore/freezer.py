"""Replicas that are put away and taken out again, each part of them once."""

from __future__ import annotations

import io
import pickle
from copyreg import dispatch_table
from typing import Any

from harness.explore.replica import Replica
from harness.explore.setting import Setting


class Freezer:
    """Turns nodes into bytes and back; what they share is left out."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        shared = (setting, setting.genesis, setting.crypto, setting.limits, setting.validator)
        self._shared = {type(each): each for each in shared}
        self._table = dispatch_table.copy()
        for kind in self._shared:
            self._table[kind] = self._name

    def __reduce__(self) -> tuple[type[Freezer], tuple[Setting]]:
        """Made anew from its setting: what Python's own table holds, no pickle takes (`typing` has private functions in
        it from 3.13 on)."""
        return Freezer, (self._setting,)

    def freeze(self, replica: Replica) -> bytes:
        """The node as bytes, without what came of its last event."""
        replica.sent, replica.facts = [], []
        file = io.BytesIO()
        pickler = pickle.Pickler(file, 5)
        pickler.dispatch_table = self._table
        pickler.dump(replica)
        return file.getvalue()

    def thaw(self, data: bytes) -> Replica:
        """A node of its own from bytes that `freeze` made."""
        _thawing.append(self._shared)
        try:
            replica = pickle.loads(data)
        finally:
            _thawing.pop()
        assert isinstance(replica, Replica)
        return replica

    @staticmethod
    def _name(shared: object) -> tuple[Any, tuple[type]]:
        return _of_kind, (type(shared),)


_thawing: list[dict[type, Any]] = []


def _of_kind(kind: type) -> Any:
    """What stands for a shared object in frozen bytes."""
    return _thawing[-1][kind]
