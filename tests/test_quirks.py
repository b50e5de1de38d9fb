"""Every quirk of the list has a test that is named by its number (`test_g2_...`, `test_f12_f20_...`), or a reason.

The list is of what real clusters, real SSH and real Fabric do to naive programs; a line each, in short. What DRMAA
does is not on it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

QUIRKS = """
G1 forms of an accepting answer
G2 numbers that wrappers print
G3 names that begin with a digit
G4 names with spaces, slashes, other letters
G5 refusals and their exit statuses
G6 what no queue can run is accepted
G7 csh runs a body without -S
G8 Windows line ends
G9 error state and its reason
G10 -hold_jid does not ask for success
G11 exit statuses 99 and 100
G12 the job's environment
G13 directives anywhere, .sge_request
G14 memory has another name everywhere
G15 -terse and -b n under DRMAA
G16 -sync, -w v: the ID line alone counts
G20 an empty list
G21 names and users cut by qstat
G22 several rows for one job
G23 whole IDs
G24 letters of states in any mix
G25 gone, or could not ask: both rc 1
G26 accounting lags
G27 accounting absent or unreadable
G28 a job deleted while pending leaves no trace
G29 values of qacct, IDs used again
G30 failed and exit_status
G31 accounting has finished tasks only
G32 -A is the user's own
G33 dr on a dead node
G40 answers of qdel
G41 rc of qmod, qhold, qdel
G42 one range for each qsub
G43 too many files in one directory
G44 slow wrappers of Debian, other wrappers left alone
S1 --parsable
S2 array tasks have IDs of their own, pending ones are folded
S3 the controller forgets; accounting may be missing
S4 states in words, accounting lags
S5 wrappers of squeue and sacct
S6 --mem is of a node, a bare number of time is minutes
S7 MaxArraySize
S8 the submitting environment is copied
S9 directives end at the first command
S10 IDs that a killed controller gives again
L1 rc files that print
L2 qsub in the login environment only, tcsh
L3 MaxStartups, MaxSessions
L4 bans of who connects too often
L5 one-time codes
L6 no SFTP, `~`
L7 connections that die
L8 several host keys
L9 not UTF-8
L10 clocks differ
L11 full quotas
F1 host keys are not checked
F2 keys offered to other hosts
F3 a login for each task
F4 tasks without a host run here
F5 the order of hosts, the first failure
F6 --dry
F7 -w, -p, --hide
F8 stdin is swallowed
F9 exit statuses
F10 the order of configuration
F11 YAML's numbers
F12 names of collections, shared help
F13 flags that shadow
F14 Include and the like in ssh_config
F15 run(env=...) unquoted
F16 invoke 3
F17 Jinja's {# and bash
F18 channels are kept weakly
F19 tracebacks before a task
F20 two collections of one name
F21 -i, and names that ssh does not know
F22 @revoked and @cert-authority
"""
REASONS = {
    "G15": "of DRMAA, which nothing here speaks yet; -terse in a script is one of the forms of G1",
}


def by_number() -> dict[str, list[str]]:
    """The names of the tests in this tree, by the numbers that they begin with."""
    found: dict[str, list[str]] = {}
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_((?:[glfs]\d+_)+)", node.name)):
                for number in match[1].rstrip("_").split("_"):
                    found.setdefault(number.upper(), []).append(node.name)
    return found


def test_each_number_has_a_test_or_a_reason_and_no_other_is_used() -> None:
    numbers = {line.split()[0] for line in QUIRKS.strip().splitlines()}
    assert len(numbers) == len(QUIRKS.strip().splitlines())
    tested = set(by_number())
    assert sorted(numbers - tested) == sorted(REASONS)
    assert tested <= numbers
