"""Whether a login node has SFTP that can be used. Nothing of ours needs it; other programs do."""

from __future__ import annotations

import struct
import time

import paramiko

# SSH_FXP_INIT of version 3, and the answer's type: draft-ietf-secsh-filexfer-02, 4.
_HELLO, _VERSION = struct.pack(">IBI", 5, 1, 3), 2
_PATIENCE = 10.0  # rc files that print make it wait for ever (L1)


def trouble(channel: paramiko.Channel) -> str:
    """Begin a session; return what is wrong with the answer (empty: nothing). Closes the channel."""
    try:
        channel.settimeout(_PATIENCE)
        channel.invoke_subsystem("sftp")
        channel.sendall(_HELLO)
        answer, end = b"", time.monotonic() + _PATIENCE
        while len(answer) < 5 and time.monotonic() < end and (piece := channel.recv(4096)):
            answer += piece
    except TimeoutError:
        return f"says nothing for {_PATIENCE:.0f} s"
    except (paramiko.SSHException, OSError, EOFError):
        return "is switched off"
    finally:
        channel.close()
    if len(answer) >= 5 and answer[4] == _VERSION and struct.unpack(">I", answer[:4])[0] < 1 << 18:
        return ""
    return "is garbled by what rc files print" if answer else "is switched off"
