"""Object stores: the same in a folder and on a real S3 server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest

from occode.batch.ports import NoSpace, ObjectMissing, ObjectStore, StoreUnavailable
from occode.storage.folder import SEGMENT, DamagedObject, FolderStore, InvalidSignature, MasterKeyUnreadable, master_key
from occode.storage.s3 import PART, S3Store
from tests.conftest import NOW
from tests.contracts.radosgw import KMS_KEY

SIZES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, PART + SEGMENT + 7]


def _content(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def _put(store: ObjectStore, key: str, content: bytes) -> None:
    with store.writer(key) as target:
        for first in range(0, len(content) or 1, 700_000):
            target.write(content[first : first + 700_000])


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_is_read_whole_in_pieces_and_in_ranges(store: ObjectStore, size: int) -> None:
    """Across the ends of segments and parts."""
    content = _content(size)
    _put(store, "raw/a", content)
    assert store.size("raw/a") == size
    assert b"".join(store.stream("raw/a")) == content
    for first, last in ((0, size), (size // 3, size // 2), (max(0, SEGMENT - 5), min(size, SEGMENT + 5))):
        assert store.read("raw/a", first, last) == content[first:last]


def test_a_later_write_replaces_an_earlier_one(store: ObjectStore) -> None:
    """Whole."""
    _put(store, "raw/a", b"first and longer")
    _put(store, "raw/a", b"second")
    assert b"".join(store.stream("raw/a")) == b"second"


def test_a_write_that_breaks_off_leaves_what_was_there(store: ObjectStore) -> None:
    """All or nothing, for small objects and multiparts."""
    _put(store, "raw/a", b"good")
    for size in (10, PART + 10):
        with pytest.raises(RuntimeError, match="broken off"):
            _break_off(store, size)
    assert b"".join(store.stream("raw/a")) == b"good"


def _break_off(store: ObjectStore, size: int) -> None:
    with store.writer("raw/a") as target:
        target.write(_content(size))
        raise RuntimeError("broken off")


def test_what_is_not_there_is_missing(store: ObjectStore) -> None:
    """And has no size."""
    assert store.size("raw/none") is None
    with pytest.raises(ObjectMissing):
        store.read("raw/none", 0, 5)
    with pytest.raises(ObjectMissing):
        list(store.stream("raw/none"))


def test_deleting_takes_an_object_and_all_below(store: ObjectStore) -> None:
    """But not what only begins alike; what is not there is no error."""
    for key in ("parts/a/1", "parts/a/2", "parts/ab/1", "raw/a"):
        _put(store, key, b"x")
    store.delete("parts/a")
    store.delete("raw/a")
    store.delete("raw/a")
    assert [store.size(key) for key in ("parts/a/1", "parts/a/2", "parts/ab/1", "raw/a")] == [None, None, 1, None]


def test_objects_are_sealed_where_they_lie(tmp_path: Path) -> None:
    """No byte of the text can be found in the folder."""
    store = FolderStore(tmp_path, bytes(32))
    _put(store, "raw/a", b"secret occupation " * 1000)
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("change", ["flip", "cut", "swap", "rename", "other master"])
def test_a_sealed_object_that_was_tampered_with_is_refused(tmp_path: Path, change: str) -> None:
    """Bytes changed, the end cut off, segments swapped, another object's place, another master key."""
    store = FolderStore(tmp_path, bytes(32))
    _put(store, "raw/a", _content(3 * SEGMENT))
    path = tmp_path / "raw" / "a"
    sealed = path.read_bytes()
    head, step = len(sealed) - 3 * (SEGMENT + 16), SEGMENT + 16
    if change == "flip":
        path.write_bytes(sealed[:-20] + bytes([sealed[-20] ^ 1]) + sealed[-19:])
    elif change == "cut":
        path.write_bytes(sealed[:-step])
    elif change == "swap":
        path.write_bytes(
            sealed[:head] + sealed[head + step : head + 2 * step] + sealed[head : head + step] + sealed[head + 2 * step :]
        )
    elif change == "rename":
        path.rename(tmp_path / "raw" / "b")
    else:
        store = FolderStore(tmp_path, bytes([1]) * 32)
    with pytest.raises(DamagedObject):
        list(store.stream("raw/b" if change == "rename" else "raw/a"))


@pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd", "a//b", "a/./b", "a\0b"])
def test_a_key_never_leaves_the_folder(tmp_path: Path, key: str) -> None:
    """Whatever it is made of."""
    with pytest.raises(ObjectMissing):
        FolderStore(tmp_path, bytes(32)).read(key, 0, 1)


def test_an_address_is_good_for_its_method_object_and_time_only(tmp_path: Path) -> None:
    """And only if this service signed it."""
    store = FolderStore(tmp_path, bytes(32))
    address = httpx.URL(store.upload("raw/a", NOW + timedelta(hours=1), "http://host").url)
    expires, signature = address.params["expires"], address.params["signature"]
    store.verify("PUT", "raw/a", expires, signature, NOW)
    later = NOW + timedelta(hours=1)
    for changed in (
        ("GET", "raw/a", expires, signature, NOW),
        ("PUT", "raw/b", expires, signature, NOW),
        ("PUT", "raw/a", str(int(expires) + 1), signature, NOW),
        ("PUT", "raw/a", expires, signature, later),
        ("PUT", "raw/a", "soon", signature, NOW),
        ("PUT", "raw/a", expires, "", NOW),
    ):
        with pytest.raises(InvalidSignature):
            store.verify(*changed)


def test_a_master_key_is_made_once_and_has_32_bytes(tmp_path: Path) -> None:
    """Readable by its owner alone."""
    path = tmp_path / "keys" / "master.key"
    key = master_key(path)
    assert master_key(path) == key
    assert len(key) == 32
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    with pytest.raises(MasterKeyUnreadable, match="5 bytes"):
        master_key(path)


def test_a_full_disk_is_told_as_such() -> None:
    """/dev/full takes nothing."""
    store = FolderStore(Path("/dev/shm") / "occode-none", bytes(32))  # nothing is written there
    with pytest.raises((NoSpace, StoreUnavailable)):
        _raise_full(store)


def _raise_full(store: FolderStore) -> Iterator[None]:
    with store.writer("raw/a"), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    raise AssertionError


def test_s3_takes_an_upload_at_its_presigned_address_with_the_headers_alone(s3: dict[str, str]) -> None:
    """Guide section 8.2: without the encryption headers the signature does not hold; SSE-KMS seals the object."""
    store = S3Store("batches", KMS_KEY, **s3)
    until = datetime.now(UTC) + timedelta(hours=1)
    upload = store.upload("raw/op", until, "")
    headers = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": upload.kms_key_id}
    assert httpx.put(upload.url, content=b"{}\n").status_code == 403
    wrong = {**headers, "x-amz-server-side-encryption-aws-kms-key-id": "other"}
    assert httpx.put(upload.url, content=b"{}\n", headers=wrong).status_code == 403
    assert httpx.put(upload.url, content=b"{}\n", headers=headers).status_code == 200
    assert store._client.head_object(Bucket="batches", Key="raw/op")["ServerSideEncryption"] == "aws:kms"
    download = store.download_url("raw/op", until, "")
    assert httpx.get(download).content == b"{}\n"
    assert httpx.get(download, headers={"Range": "bytes=1-1"}).content == b"}"
    assert httpx.get(download.partition("?")[0]).status_code == 403


def test_an_unreachable_s3_is_unavailable_and_not_missing() -> None:
    """To be tried again."""
    store = S3Store("b", "k", endpoint="http://127.0.0.1:1", region="us-east-1", access_key="a", secret_key="b")
    with pytest.raises(StoreUnavailable):
        store.size("raw/a")
