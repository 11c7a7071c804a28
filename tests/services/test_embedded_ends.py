"""Whatever ends us, the embedded services end too, and every process that we start like them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from redis import Redis

from infra.local.embedded import EmbeddedRedis, services
from infra.local.processes import Program
from tests.services.pids import alive, gone, until

pytestmark = pytest.mark.embedded_broker("it starts the embedded one whatever was chosen")

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
ROOT = Path(__file__).parents[2]

# Says which processes it runs, and stays; a line on its stdin makes it crash.
HOST = """
import sys
from infra.local.embedded import services
with services() as running:
    print(running.broker.pid, running.redis_server.pid, flush=True)
    sys.stdin.readline()
    raise RuntimeError("crash")
"""

# Is interrupted again and again while it looks at its child.
INTERRUPTED = """
import signal, sys
from contextlib import suppress
from pathlib import Path
from infra.local.processes import Program

def interrupt(*_):
    raise KeyboardInterrupt

child = Program("sleeper", Path(sys.argv[1]))
child.launch(["sleep", "60"])
signal.signal(signal.SIGVTALRM, interrupt)
for _ in range(50):
    with suppress(KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_VIRTUAL, 1e-4)
        while child.running:
            pass
child.stop()
print("running:", child.running)
"""


def heed_signals() -> None:
    """Undo what ``nohup`` or a job in the background hands on: that these signals are ignored."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


class TestEnds:
    """Whatever ends the process that runs them ends them too."""

    @pytest.fixture
    def host(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", HOST],
            env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_signals,
        ) as process:
            yield process
            process.kill()

    @pytest.fixture
    def pids(self, host: subprocess.Popen[str]) -> list[int]:
        assert host.stdout is not None
        pids = [int(pid) for pid in host.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        return pids

    @pytest.mark.parametrize("number", SIGNALS)
    def test_signal(
        self, host: subprocess.Popen[str], pids: list[int], number: int, tmp_path: Path
    ) -> None:
        host.send_signal(number)
        host.wait(10)
        assert gone(pids), "stopped before we end, not after"
        assert list(tmp_path.iterdir()) == [], "the temporary folder is removed"

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
    def test_kill_9(self, host: subprocess.Popen[str], pids: list[int]) -> None:
        host.kill()
        until(lambda: gone(pids))

    def test_crash(self, host: subprocess.Popen[str], pids: list[int]) -> None:
        _, error = host.communicate("go\n", timeout=10)
        assert "RuntimeError: crash" in error
        assert host.returncode == 1
        assert gone(pids)

    def test_ctrl_c_in_the_terminal_reaches_only_us(self, pids: list[int]) -> None:
        assert os.getpgid(0) not in map(os.getpgid, pids)

    def test_the_thread_that_starts_one_may_end(self, tmp_path: Path) -> None:
        server = EmbeddedRedis(tmp_path)
        thread = threading.Thread(target=server.start)
        thread.start()
        thread.join()
        until(lambda: thread.native_id not in {t.id for t in psutil.Process().threads()})
        try:
            with Redis.from_url(server.address) as client:
                assert client.ping(), "the kernel has not killed it with the thread"
        finally:
            server.stop()

    def test_handlers_are_put_back(self) -> None:
        before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            with services(kafka="kafka:9092", redis="redis://redis:6379"):
                assert callable(signal.getsignal(signal.SIGTERM))
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_handlers_of_others_stay(self) -> None:
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            with services(kafka="kafka:9092", redis="redis://redis:6379"):
                assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_works_outside_the_main_thread(self) -> None:
        def start() -> bool:
            with services() as started:
                assert started.broker is not None
                return started.broker.running

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(start).result(30)

    def test_interruptions_at_any_moment_do_not_hinder_the_stop(self, tmp_path: Path) -> None:
        """In a process of its own: in ours, they could leave a lock of pytest or coverage taken."""
        run = subprocess.run(
            [sys.executable, "-c", INTERRUPTED, str(tmp_path / "log")],
            env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert run.stdout == "running: False\n", run.stderr

    def test_a_program_that_is_not_there_says_so_in_the_log(self, tmp_path: Path) -> None:
        child = Program("nothing", tmp_path / "log")
        child.launch(["/no/such/program"])
        assert child.wait(10)
        assert "/no/such/program" in child.log_tail()

    def test_a_log_that_cannot_be_written_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Program("sleeper", tmp_path / "missing" / "log").launch(["sleep", "60"])
