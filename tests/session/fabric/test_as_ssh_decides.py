"""E12: whom we take for the host, what we talk with, and what we show, as ssh decides. Each row is a login by ssh and
one by us, under the same known_hosts and ssh_config; a new case is a line.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.session.fabric import algorithms, destination, ssh_config

from .twins import Pair

# What is known of the host with its port, and without; `;` ends a line of both files.
WITH_PORT = ["", "HOST ED", "HOST ED2", "HOST RSA2"]
WITHOUT = ["", "BARE ED", "BARE ED2", "@revoked BARE ED"]
NEW_OR_NOT = ["", "BARE ED2", "HOST ED2; BARE ED", "HOST RSA2", "@revoked HOST ED", "@revoked BARE ED"]
ALL = "HOST ED; HOST EC; HOST RSA"
KNOWN = "HOST ED"

ROWS = [
    *((f"{first}; {bare}", "") for first, bare in itertools.product(WITH_PORT, WITHOUT)),
    *((known, f"StrictHostKeyChecking {strict}") for known in NEW_OR_NOT for strict in ("accept-new", "no")),
    ("", "StrictHostKeyChecking ask"),
    ("HOST ED2", "StrictHostKeyChecking ask"),
    ("", "StrictHostKeyChecking off"),
    # Lines of known_hosts
    ("HOST ED2; HOST ED", ""),
    ("HOST,other ED", ""),
    ("[127.0.0.?]:* ED", ""),
    ("*:PORT ED", ""),
    ("*,!HOST ED", ""),
    ("!HOST,* ED", ""),
    ("!HOST ED", ""),
    ("*,!BARE ED2; BARE ED", ""),
    ("HASHED ED", ""),
    ("HASHED ED2; BARE ED", ""),
    ("HASHED,HOST ED", ""),
    ("  HOST\tED and a comment", ""),
    ("HOST ED\r", ""),
    ("HOST rsa-sha2-512 BODY", ""),
    ("HOST ssh-rsa BODY=", ""),
    ("HOST ssh-ed25519; HOST ssh-foo AAAAB3NzaC1mb28=; BARE ED", ""),
    ("HOST 2048 65537 123456789; HOST ED", ""),
    ("@revoked * ED; HOST ED", ""),
    ("@revoked * EC; HOST ED", ""),
    ("@REVOKED HOST ED; HOST ED", ""),
    ("@cert-authority HOST CA2; HOST ED", ""),
    ("@cert-authority HOST CA2; HOST ED2", ""),
    # Where lines are looked for, and by what name
    ("sharc ED", "HostKeyAlias sharc"),
    ("sharc ED", "HostKeyAlias SHARC"),
    ("SHARC ED", "HostKeyAlias sharc"),
    ("HOST ED", "HostKeyAlias sharc"),
    ("[sharc]:PORT ED", "HostKeyAlias sharc"),
    ("sharc ED2; HOST ED", "HostKeyAlias sharc"),
    ("[localhost]:PORT ED", "HostName LocalHost"),
    ("[127.0.0.1]:PORT ED", "HostName localhost"),
    (KNOWN, "UserKnownHostsFile none"),
    (KNOWN, "UserKnownHostsFile none; StrictHostKeyChecking accept-new"),
    (KNOWN, "UserKnownHostsFile none; StrictHostKeyChecking no"),
    (KNOWN, "UserKnownHostsFile none; GlobalKnownHostsFile DIR/known"),
    (KNOWN, "UserKnownHostsFile /dev/null; StrictHostKeyChecking accept-new"),
    (KNOWN, "UserKnownHostsFile DIR/absent DIR/known"),
    ("HOST ED2", "UserKnownHostsFile /dev/null; GlobalKnownHostsFile DIR/known; StrictHostKeyChecking accept-new"),
    (KNOWN, "RevokedHostKeys DIR/revoked"),
    (KNOWN, "RevokedHostKeys DIR/absent"),
    ("", "NoHostAuthenticationForLocalhost yes; RevokedHostKeys DIR/revoked"),
    (KNOWN, "UpdateHostKeys no; VerifyHostKeyDNS no; FingerprintHash md5; CASignatureAlgorithms -*"),
    ("HOST ED2", "FingerprintHash md5; VisualHostKey yes"),
    (KNOWN, "CheckHostIP yes"),
    ("[localhost]:PORT ED; HOST ED2", "HostName localhost; CheckHostIP yes"),
    ("[NUMBER]:PORT ED; [ADDRESS]:PORT ED2", "HostName NUMBER; CheckHostIP yes"),
    ("[NUMBER]:PORT ED; [ADDRESS]:PORT ED2", "HostName NUMBER; CheckHostIP no"),
    ("[NUMBER]:PORT ED; [ADDRESS]:PORT ED2; [ADDRESS]:PORT ED", "HostName NUMBER; CheckHostIP yes"),
    # Which host key is asked for
    ("HOST EC", ""),
    ("HOST RSA", ""),
    ("HOST RSA; HOST EC", ""),
    ("HOST RSA2; HOST EC", ""),
    ("HOST RSA", "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512"),
    ("HOST RSA", "HostKeyAlgorithms rsa-sha2-512,ssh-ed25519"),
    ("HOST RSA", "HostKeyAlgorithms -ssh-ed25519"),
    ("HOST RSA", "HostKeyAlgorithms -ssh-ed25519*,sk-*"),
    ("HOST EC", "HostKeyAlgorithms -ssh-ed25519-cert*"),
    ("HOST RSA", "HostKeyAlgorithms +ssh-rsa"),
    ("HOST RSA", "HostKeyAlgorithms ^rsa-sha2-256"),
    ("HOST RSA", "HostKeyAlgorithms ^ecdsa-sha2-nistp256"),
    (ALL, "HostKeyAlgorithms ecdsa-*"),
    (ALL, "HostKeyAlgorithms ecdsa-sha2-nistp521"),
    (ALL, "HostKeyAlgorithms rsa-sha2-256; RequiredRSASize 2048"),
    (ALL, "HostKeyAlgorithms rsa-sha2-256; RequiredRSASize 2049"),
    # What we talk with
    (KNOWN, "KexAlgorithms curve25519-sha256"),
    (KNOWN, "KexAlgorithms -sntrup*,curve25519*,ecdh-*"),
    (KNOWN, "KexAlgorithms ^diffie-hellman-group14-sha256"),
    (KNOWN, "Ciphers aes256-ctr"),
    (KNOWN, "Ciphers +3des-cbc; MACs +hmac-md5"),
    (KNOWN, "Ciphers -*-ctr,chacha*"),
    (KNOWN, "MACs umac-64@openssh.com"),
    (KNOWN, "MACs hmac-sha2-512; Ciphers aes128-ctr; Compression yes; RekeyLimit 1G 1h"),
    (KNOWN, "MACs hmac-md5; Ciphers aes128-ctr"),
    # What is shown to the host
    (KNOWN, "PubkeyAcceptedAlgorithms rsa-sha2-*"),
    (KNOWN, "PubkeyAcceptedAlgorithms rsa-sha2-*; IdentityFile DIR/rsa"),
    (KNOWN, "PubkeyAcceptedAlgorithms rsa-sha2-256,ecdsa-*; IdentityFile DIR/rsa"),
    (KNOWN, "PubkeyAcceptedAlgorithms ssh-rsa; IdentityFile DIR/rsa; IdentityFile DIR/ec"),
    (KNOWN, "PubkeyAcceptedAlgorithms -ssh-ed25519; IdentityFile DIR/ec"),
    (KNOWN, "PubkeyAcceptedAlgorithms ^ecdsa-*"),
    (KNOWN, "PubkeyAcceptedAlgorithms -*"),
    (KNOWN, "RequiredRSASize 3072; IdentityFile DIR/rsa"),
    (KNOWN, "RequiredRSASize 3072; IdentityFile DIR/rsa; IdentityFile DIR/ec"),
    (KNOWN, "IdentityFile DIR/other"),
    (KNOWN, "PubkeyAuthentication no"),
    (KNOWN, "PubkeyAuthentication host-bound"),
    (KNOWN, "PreferredAuthentications password,keyboard-interactive"),
    (KNOWN, "PreferredAuthentications hostbased"),
    (KNOWN, "PreferredAuthentications password,publickey"),
    (KNOWN, "NumberOfPasswordPrompts 0; KbdInteractiveDevices pam; GSSAPIAuthentication yes"),
    # Where it comes from
    (KNOWN, "BindAddress 127.0.0.2"),
    (KNOWN, "BindAddress 203.0.113.9"),
    (KNOWN, "ProxyCommand DIR/through PORT; CheckHostIP yes; BindAddress 203.0.113.9"),
    (KNOWN, "CanonicalizeHostname yes; ConnectionAttempts 2; ControlMaster auto; ControlPath none"),
]
# What ssh can do and we cannot: refused, in a line that says so.
NOT_SUPPORTED = [
    ("@cert-authority HOST CA2", ""),
    ("@cert-authority BARE CA2", ""),
    ("@cert-authority HOST CA2", "StrictHostKeyChecking accept-new"),
    ("@cert-authority * CA2; BARE ED2", "StrictHostKeyChecking accept-new"),
    (KNOWN, "HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com"),
    (KNOWN, "HostKeyAlgorithms sk-ssh-ed25519@openssh.com,ssh-rsa"),
    (KNOWN, "KexAlgorithms sntrup761x25519-sha512@openssh.com"),
    (KNOWN, "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group18-sha512"),
    (KNOWN, "Ciphers chacha20-poly1305@openssh.com"),
    (KNOWN, "Ciphers -aes*"),
    (KNOWN, "MACs umac-64@openssh.com,umac-128-etm@openssh.com; Ciphers aes128-ctr"),
    (KNOWN, "HostKeyAlgorithms -*"),
    (KNOWN, "KexAlgorithms -*"),
    (KNOWN, "Ciphers -*"),
    (KNOWN, "MACs -*; Ciphers aes128-ctr"),
    (KNOWN, "BindInterface lo"),
    (KNOWN, "ProxyCommand DIR/through PORT; ProxyUseFdpass yes"),
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    yield made
    made.sshd.stop()


@pytest.mark.parametrize(("known", "options"), ROWS)
def test_e12_a_login_ends_as_by_ssh(pair: Pair, known: str, options: str) -> None:
    by_ssh, by_us = pair.outcomes(known, options)
    assert by_us == by_ssh, (by_ssh.said, by_us.said)


@pytest.mark.parametrize(("known", "options"), NOT_SUPPORTED)
def test_e12_what_only_ssh_can_do_is_refused_and_said(pair: Pair, known: str, options: str) -> None:
    by_us = pair.by_us(known, options)
    assert by_us.what == "not supported"
    assert by_us.said.isprintable()


NAMES = ["HOST", "BARE", "HASHED", "*", "*:PORT", "[127.0.0.?]:*", "127.*", "!HOST", "!BARE,*", "other", "HOST,BARE"]
LINES = st.builds(
    "{}{} {}".format,
    st.sampled_from(["", "", "", "@revoked ", "# "]),
    st.sampled_from(NAMES),
    st.sampled_from(["ED", "EC", "RSA", "ED2", "RSA2"]),
)
ORDERS = ["-ssh-ed25519*", "+ssh-rsa", "^ecdsa-*", "rsa-sha2-256,ssh-ed25519", "ecdsa-*", "-ecdsa-*,rsa-*"]
OPTIONS = st.sampled_from(
    [f"HostKeyAlgorithms {order}" for order in ORDERS]
    + [f"StrictHostKeyChecking {strict}" for strict in ("yes", "accept-new", "no", "ask")]
    + ["HostKeyAlias other", "NoHostAuthenticationForLocalhost yes", "RevokedHostKeys DIR/revoked"]
)


@settings(max_examples=settings().max_examples // 50)  # each is two logins
@given(known=st.lists(LINES, max_size=4).map("; ".join), options=st.lists(OPTIONS, max_size=2).map("; ".join))
def test_e12_whatever_is_known_a_login_ends_as_by_ssh(pair: Pair, known: str, options: str) -> None:
    by_ssh, by_us = pair.outcomes(known, options)
    assert by_us == by_ssh, (by_ssh.said, by_us.said)


# Each option of the installed ssh has its place: it is obeyed, refused, or cannot change whom we talk to or what we
# show and give away.
HARMLESS = {
    "`ssh -G` has obeyed it": """
        canonicaldomains canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames
        host ignoreunknown include match tag""",
    "it is about keys and certificates that we neither offer nor accept": """
        addkeystoagent casignaturealgorithms enablesshkeysign pkcs11provider securitykeyprovider""",
    "it adds ways to know a host: we know fewer hosts": "updatehostkeys verifyhostkeydns",
    "it is about GSSAPI, by which we do not log in": """
        gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapirenewalforcesrekey gssapiserveridentity
        gssapitrustdns""",
    "we forward nothing": """
        clearallforwardings dynamicforward exitonforwardfailure forwardx11 forwardx11timeout forwardx11trusted
        gatewayports localforward permitremoteopen remoteforward streamlocalbindmask streamlocalbindunlink tunnel
        tunneldevice xauthlocation""",
    "we share no connection": "controlmaster controlpath controlpersist",
    "it is about what ssh runs and sends, and we run and send our own": """
        channeltimeout enableescapecommandline escapechar forkafterauthentication localcommand obscurekeystroketiming
        permitlocalcommand remotecommand requesttty sendenv sessiontype setenv stdinnull""",
    "it is about how ssh speaks to a person": """
        fingerprinthash loglevel logverbose syslogfacility versionaddendum visualhostkey warnweakcrypto""",
    "it makes the same connection slower, faster or more patient": """
        compression connectionattempts ipqos rekeylimit tcpkeepalive""",
    "ssh does nothing for it any more": """
        afstokenpassing cipher compressionlevel fallbacktorsh kerberosauthentication kerberostgtpassing protocol
        rhostsauthentication rhostsrsaauthentication rsaauthentication useblacklistedkeys useprivilegedport useroaming
        usersh""",
    "another name, under which `ssh -G` does not show it": """
        challengeresponseauthentication dsaauthentication globalknownhostsfile2 hostbasedkeytypes identityfile2
        keepalive protocolkeepalives pubkeyacceptedkeytypes setuptimeout skeyauthentication smartcarddevice
        tisauthentication
        userknownhostsfile2""",
}


def known_to_ssh(directory: Path) -> set[str]:
    """The options of the installed ssh: of all words in its program, those that it takes for one."""
    ssh = Path(shutil.which("ssh") or "").read_bytes()
    # A linker lays a word into the end of a longer one.
    ends = {text[start:] for text in re.findall(rb"([a-z0-9]{3,40})\0", ssh) for start in range(len(text) - 2)}
    words = sorted({word.decode() for word in ends if not word[:1].isdigit()} - {"match"})
    config, found = directory / "config", set()
    while True:
        config.write_text("".join(f"{word} \x01\n" for word in words))
        said = subprocess.run(["ssh", "-F", str(config), "-G", "x"], capture_output=True, text=True).stderr
        unknown = {int(number) for number in re.findall(r"line (\d+): Bad configuration option", said)}
        if "terminating," in said or not said:
            return found | {word for number, word in enumerate(words, 1) if number not in unknown} | {"match"}
        # It ends at the first option that it knows and whose value is bad.
        last = max(map(int, re.findall(r"line (\d+)", said)))
        found.add(words[last - 1])
        found |= {word for number, word in enumerate(words[:last], 1) if number not in unknown}
        words = words[last:]


def test_e12_every_option_of_ssh_has_its_place(tmp_path: Path) -> None:
    read = " ".join(Path(str(module.__file__)).read_text() for module in (ssh_config, destination, algorithms))
    placed = set(re.findall(r'"([a-z0-9]+)"', read)) | set(" ".join(HARMLESS.values()).split())
    options = known_to_ssh(tmp_path)
    assert {"identityfile", "hostkeyalgorithms", "tunnel"} <= options
    shown = subprocess.run(["ssh", "-F", "none", "-G", "x"], capture_output=True, text=True).stdout
    options |= {line.split()[0].lower() for line in shown.splitlines()}
    assert options - placed == set()
