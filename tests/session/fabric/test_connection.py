from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.model.cluster import Cluster
from tasks.model.errors import ConnectionLost, HostKeyRefused, InvalidInput, LoginRefused, Unreachable
from tasks.screen.screen import Screen
from tasks.session.fabric.connection import connect
from tasks.testbed.cluster import free_port

from .person import at_terminal, without_terminal
from .sshd import ME, Home, Sshd, keygen, public


def works(cluster: Cluster, *identities: Path) -> bool:
    with connect(cluster, identities, say=Screen().say) as connection:
        result = connection.run("echo in", hide=True, in_stream=False)
    return bool(result.stdout == "in\n" and not connection.is_connected)


def one_line(error: pytest.ExceptionInfo[Unreachable], *words: str) -> None:
    text = str(error.value)
    assert error.value.exit_status == 4
    assert "\n" not in text
    for word in words:
        assert word in text


def untouched(sshd: Sshd) -> bool:
    """No login was tried; sshd's own words for one are in the log of a good one (see the first test)."""
    time.sleep(0.1)
    return "userauth-request" not in sshd.said()


def test_a_known_host_and_a_good_key_let_us_in(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    assert works(home.host("sharc", sshd))
    assert sshd.said().count("Accepted publickey") == 1
    assert not untouched(sshd)


def test_what_is_closed_is_not_opened_again_by_itself(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    connection = connect(home.host("sharc", sshd))
    connection.close()
    with pytest.raises(ConnectionLost, match="sharc"):
        connection.run("true", in_stream=False)
    assert sshd.said().count("Accepted publickey") == 1


def test_f2_two_connections_share_no_settings(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    with connect(home.host("a", sshd)) as one, connect(home.host("b", sshd)) as other:
        assert one.connect_kwargs is not other.connect_kwargs
        assert one.config.connect_kwargs == {}


# Host keys


def test_f1_a_changed_key_is_refused_before_anything_is_offered(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text("\n" + sshd.known(keygen(tmp_path / "other")))
    for strict in ("yes", "no", "accept-new", "ask"):
        with pytest.raises(HostKeyRefused) as error:
            connect(home.host(f"sharc-{strict}", sshd, strict=strict))
        one_line(error, f"sharc-{strict} (127.0.0.1:{sshd.port})", f"{home.known_hosts}:2")
    assert untouched(sshd)


def test_f22_a_revoked_key_is_refused(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(f"{sshd.known()}@revoked * {public(sshd.host_keys[0])}\n")
    with pytest.raises(HostKeyRefused) as error:
        connect(home.host("sharc", sshd, strict="no"))
    one_line(error, "revoked", f"{home.known_hosts}:2")
    assert untouched(sshd)


def test_revoked_host_keys_is_obeyed(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text(sshd.known())
    revoked, other = tmp_path / "krl", keygen(tmp_path / "other")
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", revoked, f"{other}.pub"], check=True)
    assert works(home.host("before", sshd, f"RevokedHostKeys {revoked}"))
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", revoked, f"{sshd.host_keys[0]}.pub"], check=True)
    for name, file in (("listed", revoked), ("unreadable", tmp_path / "absent")):
        with pytest.raises(HostKeyRefused) as error:
            connect(home.host(name, sshd, f"RevokedHostKeys {file}"))
        one_line(error, "revoked", str(file))


def test_f22_a_host_known_by_an_authority_alone_is_refused_and_told_so(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text(f"@cert-authority * {public(keygen(tmp_path / 'ca'))}\n")
    with pytest.raises(HostKeyRefused) as error:
        connect(home.host("sharc", sshd, strict="no"))
    one_line(error, "authority", f"{home.known_hosts}:1")
    assert untouched(sshd)


def test_a_hashed_name_is_known(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", home.known_hosts], check=True, capture_output=True)
    assert sshd.name not in home.known_hosts.read_text()
    assert works(home.host("sharc", sshd))


def test_an_alias_of_the_host_key_is_known(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(f"cluster {public(sshd.host_keys[0])}\n")
    assert works(home.host("sharc", sshd, "HostKeyAlias cluster"))


@pytest.mark.parametrize("strict", ["yes", "ask"])
def test_an_unknown_host_without_a_terminal_is_refused_and_said_how_to_know_it(
    sshd: Sshd, home: Home, strict: str
) -> None:
    out, err = without_terminal(home.host("sharc", sshd, strict=strict))
    assert out.startswith("HostKeyRefused 4 sharc (127.0.0.1:")
    assert f"`ssh -F {home.config} sharc`" in out
    assert err == home.known_hosts.read_text() == ""
    assert untouched(sshd)


@pytest.mark.parametrize(("strict", "hashed"), [("accept-new", "no"), ("no", "yes")])
def test_an_unknown_host_is_taken_when_ssh_would_and_known_from_then_on(
    sshd: Sshd, home: Home, strict: str, hashed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = home.host("sharc", sshd, f"HashKnownHosts {hashed}", strict=strict)
    assert works(cluster)
    assert "Permanently added" in capsys.readouterr().err
    assert (sshd.name in home.known_hosts.read_text()) is (hashed == "no")
    assert works(replace(home.host("again", sshd), name="again"))
    assert len(home.known_hosts.read_text().splitlines()) == 1
    # and ssh itself agrees
    subprocess.run(["ssh", "-F", home.config, "-o", "BatchMode=yes", "again", "true"], check=True)


def test_at_a_terminal_an_unknown_host_is_asked_about_as_ssh_does(sshd: Sshd, home: Home) -> None:
    cluster = home.host("sharc", sshd, strict="ask")
    said, _ = at_terminal(cluster, ("continue (yes/no", "no"))
    assert said.startswith("HostKeyRefused 4 ")
    assert untouched(sshd)
    said, shown = at_terminal(cluster, ("continue (yes/no", "maybe"), ("Please type", "yes"))
    assert said.startswith(("Warning: Permanently added", "in"))
    assert "SHA256:" in shown
    assert home.known_hosts.read_text() == sshd.known()


def test_the_key_that_is_known_is_the_one_asked_for(servers: Callable[..., Sshd], home: Home) -> None:
    sshd = servers(host_keys=("ed25519", "ecdsa", "rsa"))
    for key in sshd.host_keys:
        home.known_hosts.write_text(sshd.known(key))
        assert works(home.host(key.name, sshd))


def test_a_host_known_by_another_type_alone_is_not_taken_as_new(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text(sshd.known(keygen(tmp_path / "other", "rsa")))
    with pytest.raises(HostKeyRefused) as error:
        connect(home.host("sharc", sshd, strict="accept-new"))
    one_line(error, f"{home.known_hosts}:1")


# The way there


def test_f14_include_and_match_lead_to_the_host(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text(sshd.known())
    home.host("sharc", sshd)
    home.config.rename(tmp_path / "included")
    home.config.write_text(f"Include {tmp_path}/included\nMatch originalhost other exec true\n  Port {sshd.port}\n")
    assert works(Cluster(name="c", host="sharc", ssh_config=home.config))


def test_user_and_port_of_the_cluster_win(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    home.host("sharc", 1, "User nobody", key=sshd.user_key)
    assert works(Cluster(name="c", host="sharc", user=ME, port=sshd.port, ssh_config=home.config))


def test_a_jump_host_is_checked_and_passed(servers: Callable[..., Sshd], home: Home) -> None:
    gate, sshd = servers(), servers()
    home.host("gate", gate)
    cluster = home.host("sharc", sshd, "ProxyJump gate")
    home.known_hosts.write_text(sshd.known())
    with pytest.raises(HostKeyRefused) as error:
        connect(cluster)
    one_line(error, "sharc's jump host gate", str(gate.port))
    assert untouched(gate)
    home.known_hosts.write_text(gate.known())
    with pytest.raises(HostKeyRefused) as error:
        connect(cluster)
    one_line(error, f"sharc (127.0.0.1:{sshd.port})")
    assert untouched(sshd)
    home.known_hosts.write_text(gate.known() + sshd.known())
    assert works(cluster)
    assert f"to host 127.0.0.1 port {sshd.port}" in gate.said() or "direct-tcpip" in gate.said()


def test_several_jump_hosts_and_one_named_by_address(servers: Callable[..., Sshd], home: Home) -> None:
    one, two, sshd = servers(), servers(), servers()
    home.known_hosts.write_text(one.known() + two.known() + sshd.known())
    home.host("one", one)
    two.authorized.write_text(public(one.user_key))
    with home.config.open("a") as config:
        config.write(
            f"Match host 127.0.0.1 originalhost 127.0.0.1\n IdentityFile {one.user_key}\n StrictHostKeyChecking yes\n"
            f" UserKnownHostsFile {home.known_hosts}\n"
        )
    assert works(home.host("sharc", sshd, f"ProxyJump one,{ME}@127.0.0.1:{two.port}"))
    assert all("direct-tcpip" in gate.said() for gate in (one, two))


def test_a_jump_host_that_jumps_over_itself_is_reached_straight(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    assert works(home.host("gate", sshd, "ProxyJump gate"))


def test_a_circle_of_jump_hosts_is_told(home: Home) -> None:
    home.host("a", 1, "ProxyJump b")
    home.host("b", 2, "ProxyJump a")
    with pytest.raises(InvalidInput, match="circle"):
        connect(home.host("c", 3, "ProxyJump a"))


def test_a_jump_host_that_cannot_reach_the_host_is_told(servers: Callable[..., Sshd], home: Home) -> None:
    gate, port = servers(), free_port()
    home.known_hosts.write_text(gate.known())
    home.host("gate", gate)
    with pytest.raises(Unreachable) as error:
        connect(home.host("sharc", port, "ProxyJump gate"))
    one_line(error, f"sharc (127.0.0.1:{port})", "jump host")


def test_a_proxy_command_is_run_as_ssh_runs_it(sshd: Sshd, home: Home, servers: Callable[..., Sshd]) -> None:
    gate = servers()
    home.known_hosts.write_text(gate.known() + sshd.known())
    home.host("gate", gate)
    assert works(home.host("sharc", sshd, f"ProxyCommand ssh -F {home.config} -W %h:%p gate 2>/dev/null"))


def test_a_proxy_command_that_fails_is_told_in_its_own_words(home: Home) -> None:
    with pytest.raises(Unreachable) as error:
        connect(home.host("sharc", 1, "ProxyCommand sh -c 'echo no way to %h >&2; exit 1'"))
    one_line(error, "sharc", "no way to 127.0.0.1")


def test_l7_signs_of_life_are_sent(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())
    with connect(home.host("sharc", sshd, "ServerAliveInterval 1")):
        time.sleep(1.5)
    assert "rtype keepalive@openssh.com want_reply 1" in sshd.said()


# What goes wrong


def test_a_closed_port_is_told(home: Home) -> None:
    port = free_port()
    with pytest.raises(Unreachable) as error:
        connect(home.host("sharc", port))
    one_line(error, f"sharc (127.0.0.1:{port})", "refused")


def test_a_name_that_nobody_knows_is_told(home: Home) -> None:
    with pytest.raises(Unreachable) as error:
        connect(Cluster(name="sharc", host="no-such-host.invalid", ssh_config=home.config))
    one_line(error, "sharc (no-such-host.invalid:22)")


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], None] | None = None) -> Iterator[int]:
    """Something on a port that is no sshd; `serve` gets each connection, in turn."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while serve:
                    serve(server.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_l7_a_dead_peer_is_given_up_after_connect_timeout(home: Home) -> None:
    with listener() as port:
        with pytest.raises(Unreachable) as error:
            connect(home.host("sharc", port, "ConnectTimeout 1"))
        one_line(error, f"sharc (127.0.0.1:{port})", "1 s")


def test_l7_a_peer_that_dies_after_its_first_line_is_given_up_too(home: Home) -> None:
    held: list[socket.socket] = []

    def greet(client: socket.socket) -> None:
        client.sendall(b"SSH-2.0-Dead\r\n")
        held.append(client)

    threads = threading.active_count()
    with listener(greet) as port:
        with pytest.raises(Unreachable) as error:
            connect(home.host("sharc", port, "ConnectTimeout 1"))
        one_line(error, f"sharc (127.0.0.1:{port})", " 1 s")
    for client in held:
        client.close()
    assert threading.active_count() == threads  # paramiko's own timer would keep the process for 15 s


def test_l7_a_peer_that_dies_while_keys_are_exchanged_is_given_up_too(home: Home, sshd: Sshd) -> None:
    held: list[socket.socket] = []

    def begin(client: socket.socket) -> None:
        there = socket.create_connection(("127.0.0.1", sshd.port))
        held.extend((client, there))
        client.sendall(there.recv(4096))
        there.sendall(client.recv(4096))
        client.sendall(there.recv(4096))  # which keys it can exchange; that it has none of ours yet nobody tells

    with listener(begin) as port:
        with pytest.raises(Unreachable) as error:
            connect(home.host("sharc", port, "ConnectTimeout 1"))
        one_line(error, f"sharc (127.0.0.1:{port})", "no answer for 2 s")
    for each in held:
        each.close()


def test_a_port_that_speaks_something_else_is_told(home: Home) -> None:
    def speak(client: socket.socket) -> None:
        with client:
            client.sendall(b"220 mail\r\n" * 200)
            client.recv(100)

    with listener(speak) as port:
        with pytest.raises(Unreachable) as error:
            connect(home.host("sharc", port))
        one_line(error, "no SSH server")


def test_l3_a_connection_dropped_before_the_first_word_is_tried_again(sshd: Sshd, home: Home) -> None:
    """As sshd does it beyond MaxStartups."""
    drops = [b"", b"Exceeded MaxStartups\r\n"]
    pumps: list[threading.Thread] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        if drops:
            client.sendall(drops.pop())
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", sshd.port))
        ends.extend((client, server))
        for pair in ((client, server), (server, client)):
            pumps.append(threading.Thread(target=pump, args=pair))
            pumps[-1].start()

    ends: list[socket.socket] = []
    with listener(serve) as port:
        home.known_hosts.write_text(sshd.known().replace(str(sshd.port), str(port)))
        assert works(home.host("sharc", port, key=sshd.user_key))
    for thread in pumps:
        thread.join()
    for end in ends:
        end.close()
    assert sshd.said().count("Accepted publickey") == 1


def test_l3_a_server_that_always_hangs_up_is_given_up(home: Home) -> None:
    met: list[int] = []

    def drop(client: socket.socket) -> None:
        met.append(1)
        client.close()

    with listener(drop) as port, pytest.raises(Unreachable) as error:
        connect(home.host("sharc", port))
    one_line(error, "3 times")
    assert len(met) == 3


def test_nothing_of_paramikos_is_printed(home: Home, sshd: Sshd) -> None:
    home.known_hosts.write_text(sshd.known())
    out, err = without_terminal(home.host("sharc", sshd, "KexAlgorithms +curve25519-sha256"))
    assert (out, err) == ("in", "")
    with listener(lambda client: babble(client, b"\0\0\0\x0c\x0a\x14" + b"x" * 500)) as port:
        out, err = without_terminal(home.host("garbage", port))
    assert out.startswith("Unreachable 4 garbage (127.0.0.1:")
    assert err == ""


def babble(client: socket.socket, data: bytes) -> None:
    """Greet as an SSH server does, and go on with nonsense."""
    with client:
        client.sendall(b"SSH-2.0-X\r\n" + data)
        client.settimeout(0.2)
        with contextlib.suppress(OSError):
            while client.recv(4096):
                pass


def test_no_nonsense_of_a_server_makes_anything_but_our_errors(home: Home) -> None:
    packets = [os.urandom(300), b"\0" * 100, b"\xff" * 100]
    for number in range(256):  # a well-formed packet of every type, with nothing useful in it
        packets.append(b"\0\0\0\x2c\x04" + bytes([number]) + b"\0\0\0\x05" * 9 + b"\0" * 6)
    waiting = iter(packets[:40] + packets[40::8])
    with listener(lambda client: babble(client, next(waiting))) as port:
        cluster = home.host("babel", port, "ConnectTimeout 2")
        for _ in packets[:40] + packets[40::8]:
            with pytest.raises(Unreachable) as error:
                connect(cluster)
            one_line(error, f"babel (127.0.0.1:{port})")


def test_a_refused_login_is_not_tried_again(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    home.known_hosts.write_text(sshd.known())
    with pytest.raises(LoginRefused):
        connect(home.host("sharc", sshd, key=keygen(tmp_path / "wrong")))
    assert sshd.said().count("Connection from") == 1
