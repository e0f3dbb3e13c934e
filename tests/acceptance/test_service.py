"""The service as an operator runs it: certificates, patience, several processes, logs, metrics, and what leaves the machine."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import pytest
from authlib.integrations.requests_client import OAuth2Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from occode.places import default_data_dir
from tests.acceptance.test_files import occode
from tests.conftest import EXAMPLE, free_port, server_of, serving, token

CODE = "/v1/topics/osca/code"
SECRET = "zyzzyva wrangler 8174"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service of this module writes its log."""
    return tmp_path_factory.mktemp("own") / "log"


@pytest.fixture(scope="module")
def metrics_port() -> int:
    """Where the service of this module has its metrics."""
    return free_port()


@pytest.fixture(scope="module")
def own(log: Path, metrics_port: int) -> Iterator[str]:
    """A service with two web processes, metrics and a log to look into."""
    environment = {"OCCODE_METRICS_PORT": str(metrics_port), "OCCODE_LOG_FORMAT": "json", "OCCODE_LOG_LEVEL": "debug"}
    with serving(log, "--demo", "--workers", "2", environment=environment) as address:
        yield address


@pytest.fixture(scope="module")
def client(own: str) -> Iterator[httpx.Client]:
    """A partner."""
    with httpx.Client(base_url=own, headers={"Authorization": f"Bearer {token(own)}"}, timeout=30) as found:
        yield found


def _web_processes(server: psutil.Process) -> list[psutil.Process]:
    """Return the web processes of a service that has several."""
    found = [child for child in server.children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in found if "spawn_main" in " ".join(child.cmdline())]


def test_no_text_reaches_the_log_whatever_happens_to_it(client: httpx.Client, log: Path) -> None:
    """Coded, refused, malformed, in the address, in a batch: the log has requests with their ids and not a word of it."""
    for body in ({"record": {"occp_text": SECRET}}, {"record": {"occp_text": SECRET, "age": SECRET}}, {"record": SECRET}):
        client.post(CODE, json=body)
    client.post(CODE, content=f'{{"record": {{"occp_text": "{SECRET}"'.encode())
    client.post(CODE, json={"record": {"occp_text": SECRET * 9, "recordId": SECRET}})
    client.get("/v1/topics", params={"q": SECRET})
    created = client.post("/v1/topics/osca/batch-code").json()
    headers = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": created["bucketKmsKeyArn"]}
    httpx.put(created["requestUploadUrl"], content=json.dumps({"occp_text": SECRET}).encode(), headers=headers)
    for _ in range(100):
        status = client.get(f"/v1/topics/osca/batch-code/operations/{created['operationId']}")
        if status.json()["operationStatus"] == "complete":
            break
        time.sleep(0.2)
    answer = client.get("/v1/topics")
    written = log.read_text()
    assert answer.headers["x-request-id"] in written
    assert "zyzzyva" not in written.lower()
    assert "8174" not in written
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    last = next(line for line in reversed(lines) if line["event"] == "request")
    assert {"request_id", "method", "path", "status", "milliseconds", "client"} <= set(last)


def test_metrics_add_up_over_the_web_processes(client: httpx.Client, metrics_port: int) -> None:
    """Requests, latency, records by depth, operations by state; never a text."""
    address = f"http://127.0.0.1:{metrics_port}/metrics"
    before = _value(httpx.get(address).text, "occode_records_total", 'topic="anzsco"')
    for _ in range(20):
        httpx.post(f"{client.base_url}/v1/topics/anzsco/code", json={"record": EXAMPLE}, headers=client.headers)
    text = httpx.get(address).text
    assert _value(text, "occode_records_total", 'topic="anzsco"') == before + 20
    assert _value(text, "occode_requests_total", 'route="/v1/topics/{topic}/code",status="200"') >= 20
    assert _value(text, "occode_request_seconds_count", 'route="/v1/topics/{topic}/code"') >= 20
    assert _value(text, "occode_operations", 'state="awaiting_input"') >= 0
    assert "zyzzyva" not in text


def _value(text: str, name: str, label: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name) and label in line)


def test_processes_share_one_mapped_model(own: str) -> None:
    """The arrays are a file mapping, which the kernel keeps once however many processes look at it."""
    workers = _web_processes(server_of(own))
    assert len(workers) == 2
    for worker in workers:
        maps = [found for found in worker.memory_maps(grouped=False) if found.path.endswith("arrays.safetensors")]
        assert maps
        assert sum(found.private_dirty for found in maps) == 0


def test_a_web_process_that_dies_is_replaced(own: str, client: httpx.Client) -> None:
    """The others go on meanwhile; after a while there are as many as before."""
    server = server_of(own)
    workers = _web_processes(server)
    assert len(workers) == 2
    workers[0].kill()
    for _ in range(150):
        alive = [child.pid for child in _web_processes(server)]
        if len(alive) == 2 and workers[0].pid not in alive:
            break
        time.sleep(0.2)
    else:
        pytest.fail("no new process came")
    fresh = httpx.Client(base_url=own, headers=client.headers, transport=httpx.HTTPTransport(retries=3))
    with fresh:
        assert fresh.post(CODE, json={"record": EXAMPLE}).status_code == 200


def test_nothing_leaves_but_to_the_configured_stores(own: str, client: httpx.Client) -> None:
    """Guide section 12: every socket of every process of the service is its own listener or a connection to it on loopback."""
    for _ in range(20):
        client.post(CODE, json={"record": EXAMPLE})
        for process in [server_of(own), *server_of(own).children(recursive=True)]:
            for connection in process.net_connections("inet"):
                assert connection.laddr.ip in ("127.0.0.1", "::1")
                assert not connection.raddr or connection.raddr.ip in ("127.0.0.1", "::1")


@pytest.mark.parametrize("sent", [b"", b"GET /v1/topics HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_arrive_is_cut_off(own: str, sent: bytes) -> None:
    """Nothing at all, or one byte at a time: the connection is closed after some seconds."""
    where = urlsplit(own)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(sent)
        started = time.monotonic()
        closed = threading.Event()
        if sent:
            threading.Thread(target=_dribble, args=(connection, closed), daemon=True).start()
        assert connection.recv(100) == b""
        closed.set()
        assert time.monotonic() - started < 20


def _dribble(connection: socket.socket, closed: threading.Event) -> None:
    while not closed.wait(0.5):
        try:
            connection.sendall(b"a")
        except OSError:
            return


def test_a_head_without_end_is_cut_off(own: str) -> None:
    """Long before it fills the memory."""
    where = urlsplit(own)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(b"GET /v1/topics HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            connection.sendall((b"X-A: " + b"a" * 8000 + b"\r\n") * 5000)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_a_bad_request(own: str, client: httpx.Client, log: Path) -> None:
    """It is logged as what it is, no error of ours, and nobody else notices."""
    where, bearer = urlsplit(own), client.headers["Authorization"]
    before = len(log.read_text().splitlines())
    head = f"POST {CODE} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: 200\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(head.encode() + b'{"record": {"occp_te')
    until = time.monotonic() + 10
    while not (said := [line for line in log.read_text().splitlines()[before:] if CODE in line]) and time.monotonic() < until:
        time.sleep(0.1)
    assert [(json.loads(line)["event"], json.loads(line)["status"]) for line in said] == [("request", 400)]
    assert client.post(CODE, json={"record": EXAMPLE}).status_code == 200


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_a_certificate_gives_tls_of_a_version_that_is_still_safe(tmp_path: Path) -> None:
    """Guide section 12: 1.2 at least; a client that knows only older ones is refused, and so is plain HTTP."""
    cert, key = _certificate(tmp_path)
    port = free_port()
    command = [sys.executable, "-m", "occode", "serve", "--demo", "--no-worker", "--port", str(port)]
    with subprocess.Popen([*command, "--tls-cert", cert, "--tls-key", key], stderr=subprocess.DEVNULL) as process:
        try:
            trusted = ssl.create_default_context(cafile=str(cert))
            _await_tls(port, trusted)
            with httpx.Client(verify=trusted, base_url=f"https://localhost:{port}") as client:
                answer = client.post("/oauth2/token", auth=("client1", "secret123"), data={"grant_type": "client_credentials"})
                assert answer.json()["access_token"]
            assert _version(port, trusted) in ("TLSv1.2", "TLSv1.3")
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                _version(port, old)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://localhost:{port}/health/live")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def _version(port: int, context: ssl.SSLContext) -> str | None:
    with socket.create_connection(("localhost", port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as wrapped:
        return wrapped.version()


def _await_tls(port: int, context: ssl.SSLContext) -> None:
    for _ in range(300):
        try:
            _version(port, context)
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service did not start")


def test_what_was_accepted_is_finished_when_the_service_is_told_to_stop(tmp_path: Path) -> None:
    """Requests in flight at SIGTERM are answered; afterwards nobody listens."""
    with serving(tmp_path / "log", "--demo", "--no-worker") as address:
        bearer = token(address)
        server = server_of(address)
        records = [{"occp_text": f"nurse driver cook {i}"} for i in range(300)]
        body = json.dumps({"records": records, "numberOfSuggestions": 16}).encode()
        where = urlsplit(address)
        head = f"POST {CODE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
            connection.sendall(head.encode() + body[:-1])
            time.sleep(0.3)
            server.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(body[-1:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert len(json.loads(answer.partition(b"\r\n\r\n")[2])) == 300
        server.wait(30)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((where.hostname, where.port))


def test_a_standard_library_gets_renews_and_uses_tokens(own: str) -> None:
    """Authlib, which knows nothing of this service."""
    endpoint = f"{own}/oauth2/token"
    with OAuth2Session("client1", "secret123", token_endpoint=endpoint, grant_type="client_credentials") as session:
        first = session.fetch_token(endpoint)
        assert session.post(own + CODE, json={"record": EXAMPLE}).json()["codeStatus"] == "successful"
        session.token = {**first, "expires_at": int(time.time()) - 1}
        assert session.get(f"{own}/v1/topics").status_code == 200
        assert session.token["expires_at"] > time.time() + 3000


def test_wrong_secrets_are_slowed_down(own: str) -> None:
    """Token attempts are counted by client and address; a right secret of another client still works."""
    statuses = [
        httpx.post(f"{own}/oauth2/token", auth=("nobody", str(i)), data={"grant_type": "client_credentials"}).status_code
        for i in range(60)
    ]
    if 429 not in statuses:  # a slow machine may stay under the limit a second
        with httpx.Client() as quick:
            statuses += [_attempt(quick, own) for _ in range(1000)]
    assert set(statuses) == {401, 429}
    assert token(own)


def _attempt(client: httpx.Client, address: str) -> int:
    return client.post(f"{address}/oauth2/token", auth=("nobody", "x"), data={"grant_type": "client_credentials"}).status_code


def test_a_suspended_client_is_out_within_half_a_minute(tmp_path: Path) -> None:
    """With the token that it has; keys are rotated meanwhile and old tokens of others go on."""
    environment = {"OCCODE_DATA_DIR": str(tmp_path / "data")}
    models = tmp_path / "data" / "models"
    models.parent.mkdir()
    models.symlink_to(default_data_dir() / "models")
    secrets = [_added(name, environment) for name in ("agency", "other")]
    with serving(tmp_path / "log", "--no-worker", environment=environment) as address:
        agency, other = (token(address, name, secret) for name, secret in zip(("agency", "other"), secrets, strict=True))
        assert _topics(address, agency) == 200
        assert occode("clients", "suspend", "agency", environment=environment).returncode == 0
        assert occode("clients", "rotate-keys", environment=environment).returncode == 0
        until = time.monotonic() + 30
        while _topics(address, agency) != 403:
            assert time.monotonic() < until
            time.sleep(0.5)
        assert _topics(address, other) == 200
        assert occode("clients", "resume", "agency", environment=environment).returncode == 0
        while _topics(address, agency) != 200:
            assert time.monotonic() < until + 30
            time.sleep(0.5)


def _topics(address: str, bearer: str) -> int:
    return httpx.get(f"{address}/v1/topics", headers={"Authorization": f"Bearer {bearer}"}).status_code


def _added(name: str, environment: dict[str, str]) -> str:
    done: Any = occode("clients", "add", name, "--tier", "partner", "--accept-terms", environment=environment)
    assert done.returncode == 0, done.stderr
    return next(word for word in done.stdout.split() if len(word) > 30)
