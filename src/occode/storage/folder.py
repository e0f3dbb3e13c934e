"""Objects in a folder: sealed in segments with AES-256-GCM under a key an object, reached through addresses that we sign.

An object's file is a header (magic, format, the object's key wrapped by the master key) and segments of 1 MiB, each sealed on
its own so that ranges can be read; a segment's nonce holds its number and whether it is the last, so that none can be moved,
left out or cut off unnoticed, and the object's name is authenticated with every one of them.
"""

import contextlib
import errno
import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from occode.batch.ports import NoSpace, ObjectMissing, StoreUnavailable, Upload
from occode.errors import OccodeError

MAGIC = b"OCO1"
SEGMENT = 2**20
TAG = 16
_WRAPPED = 12 + 32 + TAG
_HEADER = len(MAGIC) + _WRAPPED
#: Bytes of one piece of a stream.
PIECE = 4 * SEGMENT
PATH = "/objects"


class DamagedObject(OccodeError):
    """The object {key} is damaged or was sealed with another master key."""


class InvalidSignature(OccodeError):
    """The address is not signed by this service, was changed, or its time is over."""


class MasterKeyUnreadable(OccodeError):
    """The master key {path} cannot be used: {reason}; it is a file of 32 bytes."""


def master_key(path: Path) -> bytes:
    """Return the master key in a file, which is made where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(32))
            try:
                os.link(name, path)
            finally:
                Path(name).unlink()
        key = path.read_bytes()
    except OSError as error:
        raise MasterKeyUnreadable(path=path, reason=error.strerror or error) from error
    if len(key) != 32:
        raise MasterKeyUnreadable(path=path, reason=f"it has {len(key)} bytes")
    return key


class FolderStore:
    """Implements `occode.batch.ports.ObjectStore` on a folder; safe between threads and processes.

    Parameters
    ----------
    folder
        Where the objects are.
    master
        The 32-byte key that wraps the objects' keys and signs addresses.
    """

    def __init__(self, folder: Path, master: bytes) -> None:
        self._folder = folder
        self._wrap = AESGCM(hashlib.sha256(b"wrap" + master).digest())
        self._signing = hashlib.sha256(b"sign" + master).digest()

    def upload(self, key: str, until: datetime, address: str) -> Upload:
        """Return a signed address that takes an object until then."""
        return Upload(self._address("PUT", key, until, address), self.kms_key_id(key))

    def download_url(self, key: str, until: datetime, address: str) -> str:
        """Return a signed address that gives an object until then."""
        return self._address("GET", key, until, address)

    def kms_key_id(self, key: str) -> str:
        """Return what the uploader of an object has to name as its key: its own for every object."""
        return f"occode:object-key/{self._sign('KEY', key, 0)[:32]}"

    def verify(self, method: str, key: str, expires: str, signature: str, now: datetime) -> None:
        """Check a signed address.

        Raises
        ------
        InvalidSignature
        """
        good = expires.isascii() and expires.isdigit() and hmac.compare_digest(signature, self._sign(method, key, int(expires)))
        if not good or now.timestamp() >= int(expires):
            raise InvalidSignature

    def _address(self, method: str, key: str, until: datetime, address: str) -> str:
        expires = int(until.timestamp())
        query = urlencode({"expires": expires, "signature": self._sign(method, key, expires)})
        return f"{address}{PATH}/{quote(key)}?{query}"

    def _sign(self, method: str, key: str, expires: int) -> str:
        return hmac.new(self._signing, f"{method} {expires} {key}".encode(), hashlib.sha256).hexdigest()

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes; None where there is none."""
        try:
            sealed = self._path(key).stat().st_size - _HEADER
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreUnavailable(reason=error.strerror or error) from error
        return sealed - TAG * max(1, -(-sealed // (SEGMENT + TAG)))

    def read(self, key: str, first: int, last: int) -> bytes:
        """Return the bytes from `first` up to, not including, `last`."""
        with self._opened(key) as (file, cipher, segments):
            numbers = range(first // SEGMENT, min(segments, -(-last // SEGMENT)))
            found = b"".join(_unseal(file, cipher, key, number, segments) for number in numbers)
        start = first - first // SEGMENT * SEGMENT
        return found[start : start + last - first]

    def stream(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes."""
        with self._opened(key) as (file, cipher, segments):
            for number in range(segments):
                piece = _unseal(file, cipher, key, number, segments)
                if piece:
                    yield piece

    @contextmanager
    def writer(self, key: str) -> Iterator[IO[bytes]]:
        """Open an object for writing."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        except OSError as error:
            raise _as_ours(error) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                sealer = _Sealer(file, self._wrap, key)
                yield sealer  # type: ignore[misc]  # it writes, which is all that is asked
                sealer.end()
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            raise _as_ours(error) from error
        finally:
            Path(name).unlink(missing_ok=True)

    def delete(self, prefix: str) -> None:
        """Delete the object of that key and all below it."""
        path = self._path(prefix)
        try:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(reason=error.strerror or error) from error

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise ObjectMissing(key=key)
        return self._folder.joinpath(*parts)

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[IO[bytes], AESGCM, int]]:
        try:
            with self._path(key).open("rb") as file:
                header = file.read(_HEADER)
                wrapped = header[len(MAGIC) :]
                try:
                    secret = self._wrap.decrypt(wrapped[:12], wrapped[12:], MAGIC + key.encode())
                except (InvalidTag, ValueError) as error:
                    raise DamagedObject(key=key) from error
                sealed = os.fstat(file.fileno()).st_size - _HEADER
                yield file, AESGCM(secret), max(1, -(-sealed // (SEGMENT + TAG)))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ObjectMissing(key=key) from error
        except OSError as error:
            raise StoreUnavailable(reason=error.strerror or error) from error


class _Sealer:
    """Takes bytes and writes sealed segments."""

    def __init__(self, file: IO[bytes], wrap: AESGCM, key: str) -> None:
        secret = AESGCM.generate_key(256)
        nonce = os.urandom(12)
        file.write(MAGIC + nonce + wrap.encrypt(nonce, secret, MAGIC + key.encode()))
        self._file, self._cipher, self._name = file, AESGCM(secret), key.encode()
        self._waiting = bytearray()
        self._number = 0

    def write(self, data: Any) -> int:
        self._waiting += data
        whole = (len(self._waiting) - 1) // SEGMENT  # the last segment waits, since it is sealed as the last
        for place in range(whole):
            self._seal(bytes(self._waiting[place * SEGMENT : (place + 1) * SEGMENT]), final=False)
        if whole > 0:
            del self._waiting[: whole * SEGMENT]
        return len(data)

    def end(self) -> None:
        self._seal(bytes(self._waiting), final=True)

    def _seal(self, plain: bytes, *, final: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, final=final), plain, self._name))
        self._number += 1


def _nonce(number: int, *, final: bool) -> bytes:
    """Return a segment's nonce: unique under its object's key."""
    return number.to_bytes(11, "big") + bytes([final])


def _unseal(file: IO[bytes], cipher: AESGCM, key: str, number: int, segments: int) -> bytes:
    file.seek(_HEADER + number * (SEGMENT + TAG))
    try:
        return cipher.decrypt(_nonce(number, final=number == segments - 1), file.read(SEGMENT + TAG), key.encode())
    except (InvalidTag, ValueError) as error:
        raise DamagedObject(key=key) from error


def _as_ours(error: OSError) -> OccodeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace()
    return StoreUnavailable(reason=error.strerror or error)
