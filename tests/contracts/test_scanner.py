"""The malware scan with a real clamd and a signature of our own."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from occode.batch.clamav import WINDOW, ClamAV
from occode.batch.ports import ScannerUnavailable
from tests.conftest import free_port
from tests.contracts.conftest import require

EVIL = b"occode-test-of-malware-7c1f"


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a clamd that knows one signature."""
    require("clamd")
    folder, port = tmp_path_factory.mktemp("clamd"), free_port()
    (folder / "db").mkdir()
    (folder / "db" / "test.ndb").write_text(f"Occode.Test:0:*:{EVIL.hex()}\n")
    settings = {
        "DatabaseDirectory": folder / "db", "TCPSocket": port, "TCPAddr": "127.0.0.1", "Foreground": "yes", "User": "root",
        "AlertExceedsMax": "yes", "StreamMaxLength": "64M", "MaxScanSize": "64M", "MaxFileSize": "64M",
    }  # fmt: skip
    (folder / "clamd.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    command = ["clamd", "--config-file", str(folder / "clamd.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _await(port)
        yield port
        process.terminate()


def _await(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("clamd does not answer")


def _pieces(size: int, at: int | None = None) -> list[bytes]:
    content = bytearray(b'{"occp_text": "cook"}\n' * (size // 22 + 1))
    if at is not None:
        content[at : at + len(EVIL)] = EVIL
    return [bytes(content[first : first + 2**20]) for first in range(0, len(content), 2**20)]


def test_a_clean_file_is_clean(clamd: int) -> None:
    """Of one window or several."""
    scanner = ClamAV("127.0.0.1", clamd)
    assert scanner.scan(_pieces(100)) is None
    assert scanner.scan(_pieces(WINDOW + 2**21)) is None


@pytest.mark.parametrize("at", [0, 1000, WINDOW - 10, WINDOW + 2**20])
def test_malware_is_found_wherever_it_is(clamd: int, at: int) -> None:
    """Also across the end of a window."""
    found = ClamAV("127.0.0.1", clamd).scan(_pieces(WINDOW + 2**21, at))
    assert found is not None
    assert found.startswith("Occode.Test")


def test_no_answer_is_no_all_clear() -> None:
    """Nobody there, or somebody who says something else."""
    with pytest.raises(ScannerUnavailable):
        ClamAV("127.0.0.1", free_port()).scan([b"x"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_say, args=(server, b"INSTREAM size limit exceeded. ERROR\0"), daemon=True).start()
        with pytest.raises(ScannerUnavailable, match="size limit"):
            ClamAV("127.0.0.1", server.getsockname()[1]).scan([b"x"])


def _say(server: socket.socket, words: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        while not connection.recv(65536).endswith(bytes(4)):
            pass
        connection.sendall(words)


def test_the_conf_of_the_docs_alerts_beyond_its_limits() -> None:
    """Without it clamd says OK to what it did not read."""
    docs = Path(__file__).parents[2] / "docs"
    assert "AlertExceedsMax yes" in (docs / "how-to" / "operate.md").read_text()
