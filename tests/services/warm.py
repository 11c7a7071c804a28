"""Our services forked from a process that has imported them: what is tested is not the import.

``python -m tests.services.warm SOCKET`` imports worker and streams, and becomes one of them for
each that connects. It forks a keeper, and the keeper the service: so somebody waits for its end,
however many are asked for. The keeper answers with the process id, and with the exit status.
"""

import atexit
import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from select import select

from infra.cli import main
from infra.local.processes import Program

COVERED = "COVERAGE_PROCESS_CONFIG"
"""Says that children measure their coverage; what is forked here does not."""

_START_S = 120.0


class Forked:
    """A service, as :class:`subprocess.Popen` shows one."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers = answers.makefile("r")
        answers.close()  # the file goes on
        self.pid = int(self._answers.readline())
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status once it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs on after ``timeout`` seconds.
        """
        status = self._read(timeout)
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal while it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def _read(self, timeout: float | None) -> int | None:
        if self._status is None and select([self._answers], [], [], timeout)[0]:
            self._status = int(self._answers.readline())
            self._answers.close()
        return self._status


def fork(arguments: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path | None) -> Forked:
    """Run a ``perennial`` command whose output is appended to ``log``."""
    log.touch()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_address())
    wanted = {"argv": [*arguments], "env": {**env}, "log": str(log), "cwd": str(cwd or Path.cwd())}
    connection.sendall(json.dumps(wanted).encode() + b"\n")
    return Forked(connection)


@cache
def _address() -> str:
    """Return the socket of this process's own; it ends when we do."""
    folder = Path(tempfile.mkdtemp(prefix="perennial-warm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address, log = folder / "socket", folder / "log"
    program = Program("warm", log)
    env = {name: value for name, value in os.environ.items() if name != COVERED}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)  # wherever we stand, it finds the tests
    program.launch([sys.executable, "-m", __name__, str(address)], env)
    give_up = time.monotonic() + _START_S
    while not address.exists():
        assert program.running, program.log_tail()
        assert time.monotonic() < give_up, program.log_tail()
        time.sleep(0.01)
    return str(address)


def _serve(address: str) -> None:
    """Fork for ever; the forked return, to end as any program does."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{address}.new")
    listening.listen()
    Path(f"{address}.new").rename(address)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _die_with_parent()
            return _keep(connection)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """A keeper has ended, and its time is counted as ours."""


def _die_with_parent() -> None:
    """Let the kernel kill us with whoever forked us, so that killed tests leave no service."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _keep(connection: socket.socket) -> None:
    with connection.makefile("r") as requests:
        wanted = json.loads(requests.readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        _die_with_parent()
        return _become(wanted["argv"], wanted["env"], wanted["log"], wanted["cwd"])
    connection.sendall(b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # whoever asked for it may be gone
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(arguments: list[str], env: dict[str, str], log: str, cwd: str) -> None:
    with Path(log).open("ab") as out:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(out.fileno(), sys.stderr.fileno())
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["perennial", *arguments]
    main()


if __name__ == "__main__":
    for command in ("worker", "streams"):
        import_module(f"infra.commands.{command}")
    gc.freeze()
    _serve(sys.argv[1])
