"""The login environment of a cluster: the first program of a connection finds it out, and later ones are given it."""

from __future__ import annotations

from ..login_node import Reply, setup_troubles
from ..model.cluster import Cluster
from ..model.listener import Listener
from ..model.wording import one_line
from .login_shell import last_words


class Environment:
    """The environment as `text` for sh (empty while it is not known), and what was printed while it was made.

    `noise` is what rc files printed on stdout; `failed_setup` says which lines of the cluster's `setup` failed and how.
    """

    def __init__(self, cluster: Cluster, listener: Listener) -> None:
        self.text = ""
        self.noise = b""
        self.failed_setup: list[str] = []
        self._cluster = cluster
        self._listener = listener
        self._errors = b""
        self._told: set[str] = set()

    def begun(self, errors: Reply, noise: bytes, mark: str) -> None:
        """Read what was printed before the first section, and tell what the lines of `setup` said."""
        self._errors, self.noise = errors.err, noise
        for line, status, said in setup_troubles(errors.errors, mark, self._cluster.setup):
            how = {"": "ended the login shell", "0": "said"}.get(status, f"failed with exit status {status}")
            trouble = f"setup '{one_line(line)}' {how}{': ' if said else ''}{one_line(said, 500)}"
            if status != "0" and trouble not in self.failed_setup:
                self.failed_setup.append(trouble)
            self._tell_once(trouble)

    def came(self, reply: Reply) -> None:
        """Keep the environment; tell when there is none."""
        self.text = reply.exact
        if not reply.out:
            without = f"ends without a word of its environment{last_words([self._errors])}"
            self._tell_once(f"the login shell on the login node {without}")

    def _tell_once(self, warning: str) -> None:
        """Each connection finds the same out again; once is enough."""
        if warning not in self._told:
            self._told.add(warning)
            self._listener.say(one_line(f"{self._cluster.name}: {warning}", 1000))
