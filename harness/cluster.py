"""A Dask cluster that runs are made on: reached by its scheduler, and of this very release."""

from __future__ import annotations

from concurrent.futures import Executor

from lucid.provenance import provenance

CONNECT_S = 15


class ClusterError(Exception):
    """A cluster cannot be used; one sentence."""


class Cluster:
    """A Dask cluster by its scheduler's address, such as `tcp://10.0.0.5:8786`; `jobs` calls run at once.

    Its workers must have this very release installed, or seeds would not repeat. Raises `ClusterError`.
    """

    def __init__(self, address: str) -> None:
        from distributed import Client  # noqa: PLC0415  # the extra `analysis`

        self.address = address
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(f"no Dask scheduler at {address}: {str(error) or 'it does not answer'}") from None
        try:
            self.jobs = self._checked()
        except BaseException:
            self.close()
            raise

    def executor(self) -> Executor:
        """What runs calls on the cluster."""
        found: Executor = self._client.get_executor()
        return found

    def close(self) -> None:
        """Let go of it; what it has in hand for us is given up."""
        self._client.close(timeout=CONNECT_S)

    def _checked(self) -> int:
        """The threads of all workers, once each is known to run this release."""
        threads = sum(self._client.nthreads().values())
        if not threads:
            raise ClusterError(f"the Dask cluster at {self.address} has no workers")
        ours = provenance()
        try:
            others = self._client.run(provenance)
        except Exception as error:
            raise ClusterError(f"a worker of {self.address} cannot run lucid: {error}") from None
        for worker, theirs in sorted(others.items()):
            if (theirs.lucid, theirs.commit) != (ours.lucid, ours.commit):
                raise ClusterError(
                    f"worker {worker} has lucid {theirs.lucid} {theirs.commit}, here is {ours.lucid} {ours.commit}"
                )
        return int(threads)
