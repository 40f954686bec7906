"""An installation of Python distributions, as a build's steps leave it."""

from __future__ import annotations

from smoke.static.model.install import Install, MadeFor
from tests.smoke.static.model.staged import followed


def test_an_installation_says_where_from_where_to_and_what_for() -> None:
    [install] = followed("pip install flask==3.0.0").installs
    assert install.distributions == ("flask==3.0.0",) and install.lock is None and install.projects == ()
    assert install.directory.endswith("site-packages") and install.made.libc == "glibc" and not install.made.told


def test_what_is_not_said_is_not_known() -> None:
    install = Install(7)
    assert install.visible is None and install.made == MadeFor() and not install.doubt
