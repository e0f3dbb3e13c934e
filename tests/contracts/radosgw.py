"""A real S3 server on loopback for the contract tests: Ceph's object gateway over one monitor and one OSD."""

import base64
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from tests.conftest import free_port

ACCESS, SECRET, KMS_KEY = "TESTACCESS", "testsecret", "test-key"

_CONF = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = {dir}
admin socket = {dir}/$name.$pid.asok
log file = {dir}/$name.log
pid file = {dir}/$name.pid
keyring = {dir}/keyring
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon max pg per osd = 1000
[mon.a]
mon data = {dir}/mon
[osd]
osd data = {dir}/osd
osd objectstore = bluestore
bluestore block size = 4294967296
osd memory target = 939524096
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms}={key}
rgw crypt require ssl = false
"""


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run the gateway in `folder` and yield its address."""
    port, v1, v2 = free_port(), free_port(), free_port()
    fsid, key = str(uuid.uuid4()), base64.b64encode(secrets.token_bytes(32)).decode()
    for name in ("mon", "osd"):
        (folder / name).mkdir()
    conf = folder / "ceph.conf"
    conf.write_text(_CONF.format(fsid=fsid, v1=v1, v2=v2, dir=folder, port=port, kms=KMS_KEY, key=key))
    environment = {**os.environ, "CEPH_CONF": str(conf)}

    def run(*command: str) -> None:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)

    try:
        _start_cluster(folder, fsid, f"[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]", run)
        run("radosgw", "-n", "client.rgw")
        address = f"http://127.0.0.1:{port}"
        _await(address)
        user = ("--uid=test", "--display-name=test", f"--access-key={ACCESS}", f"--secret-key={SECRET}")
        run("radosgw-admin", "-n", "client.rgw", "user", "create", *user)
        yield address
    finally:
        for name in ("client.rgw", "osd.0", "mon.a"):
            _stop(folder / f"{name}.pid")


def _start_cluster(folder: Path, fsid: str, monitor: str, run: object) -> None:
    assert callable(run)
    keyring, monmap = str(folder / "keyring"), str(folder / "monmap")
    run("monmaptool", "--create", "--clobber", "--addv", "a", monitor, "--fsid", fsid, monmap)
    run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    everything = [word for part in ("mon", "osd", "mgr", "mds") for word in ("--cap", part, "allow *")]
    run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *everything)
    run("ceph-authtool", keyring, "--gen-key", "-n", "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
    run("ceph-authtool", keyring, "--gen-key", "-n", "client.rgw", "--cap", "mon", "allow *", "--cap", "osd", "allow *")
    run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
    run("ceph-mon", "-i", "a")
    osd = str(uuid.uuid4())
    run("ceph", "osd", "new", osd)
    run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
    run("ceph-osd", "-i", "0")


def _await(address: str) -> None:
    for _ in range(240):
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.25)
        else:
            return
    raise RuntimeError("the S3 gateway does not answer")


def _stop(pid_file: Path) -> None:
    if not pid_file.exists():
        return
    number = int(pid_file.read_text())
    for signal in (15, 9):
        for _ in range(20):
            try:
                os.kill(number, signal)
            except ProcessLookupError:
                return
            time.sleep(0.25)
