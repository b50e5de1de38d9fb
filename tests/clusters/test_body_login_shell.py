"""Under `posix_compliant` a queue starts the script's shell as a login shell. Profiles are read as by hand, and the
options of the script's first line, which would be ignored by hand, count for the body alone.

So there are two twins: for what the profile does, qsub with `-S` of the same shell; for what the options do to the
body, the same script under `unix_behavior`.
"""

from __future__ import annotations

from tasks.testbed.cell import Cell
from tests.clusters import twins
from tests.clusters.pairs import set_start_mode
from tests.conftest import Person

PROFILE = "in_profile() { echo a function of the profile; }\nfalse\n: $not_set\n"
# Without a pipe: what its two sides trace may be mixed.
SEEN = "case $(type in_profile 2>&1) in *function*) echo in_profile is there ;; *) echo no in_profile ;; esac\n"
BODY = SEEN + 'echo "$- $#"\nfalse\necho after false\n: $not_set\necho after not set\n'
LINES = {
    "plain": "/bin/bash",
    "login": "/bin/bash --login",
    "short_login": "/bin/bash -l",
    "posix": "/bin/bash --posix",
    "norc": "/bin/bash --norc",
    "trace": "/bin/bash -x",
    "errors": "/bin/bash -e",
    "unset": "/bin/bash -u",
    "several": "/bin/bash -eux",
    "spaced": " /bin/bash   -e ",
    "dash": "/bin/bash -",
    "dashes": "/bin/bash --",
    "sh": "/bin/sh",
    "sh_errors": "/bin/sh -e",
    "sh_several": "/bin/sh -exu",
    "env": "/usr/bin/env bash",
    "env_options": "/usr/bin/env -S bash -e",
}


def test_a3_profiles_are_read_as_by_hand_and_options_are_the_bodys(person: Person, cells: dict[str, Cell]) -> None:
    posix, unix = cells["sandbox"], cells["sandbox2"]
    scripts = {f"line_{name}": f"#!{line}\n# comment\n\n{BODY}" for name, line in LINES.items()}
    set_start_mode(unix, "unix_behavior")
    profiles = [cell.home / ".profile" for cell in (posix, unix)]
    for profile in profiles:
        profile.write_text(PROFILE)
    try:
        bash = twins.by_hand(posix, {"bash": BODY}, "-S", "/bin/bash")["bash"]
        sh = twins.by_hand(posix, {"sh": BODY}, "-S", "/bin/sh")["sh"]
        obeyed = twins.by_hand(unix, scripts)
        ours = twins.ours(person, posix, scripts)
        twins.until_gone(posix, [bash, sh, *ours.values()])
        twins.until_gone(unix, obeyed.values())
    finally:
        set_start_mode(unix, "posix_compliant")
        for profile in profiles:
            profile.unlink()
    for name in LINES:
        run, typed, login = (
            ours[f"line_{name}"],
            obeyed[f"line_{name}"],
            sh if LINES[name].startswith("/bin/sh") else bash,
        )
        # What the profile defines is there, as in a login shell by hand; what the options do is as where they count.
        assert run.text().splitlines()[0] == login.text().splitlines()[0], name
        assert run.text().splitlines()[1:] == typed.text().splitlines()[1:], name
        assert trace(run.text("e")) == trace(typed.text("e")), name


def trace(errors: str) -> list[str]:
    """What a shell says, but for the lines about the profile's function, which is not there in both."""
    return [line for line in errors.splitlines() if "in_profile" not in line]
