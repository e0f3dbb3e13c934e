"""Objects in S3 or a service like it: addresses presigned (SigV4) with the KMS headers signed in, output in multiparts."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from occode.batch.ports import ObjectMissing, StoreUnavailable, Upload

#: Bytes of a multipart's part: 10,000 of them are the most that S3 takes, which is 160 GB.
PART = 16 * 2**20
PIECE = 4 * 2**20
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Store:
    """Implements `occode.batch.ports.ObjectStore` on a bucket; safe between threads.

    Parameters
    ----------
    bucket
        Its name; an optional prefix follows a slash.
    kms_key
        The id of the key that seals objects (SSE-KMS).
    endpoint, region, access_key, secret_key
        As boto3 has them; empty: boto3's own defaults.
    """

    def __init__(self, bucket: str, kms_key: str, *, endpoint: str, region: str, access_key: str, secret_key: str) -> None:
        self._bucket, _, prefix = bucket.partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._kms_key = kms_key
        config = Config(
            signature_version="s3v4",
            retries={"max_attempts": 3, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=20,
            s3={"addressing_style": "path" if endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=config,
        )
        self._sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}

    def upload(self, key: str, until: datetime, address: str) -> Upload:  # the client goes to S3 itself
        """Return a presigned address that takes an object until then."""
        sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key}
        return Upload(self._presigned("put_object", key, until, **sealed), self._kms_key)

    def download_url(self, key: str, until: datetime, address: str) -> str:
        """Return a presigned address that gives an object until then."""
        return self._presigned("get_object", key, until)

    def _presigned(self, operation: str, key: str, until: datetime, **more: str) -> str:
        seconds = max(1, round((until - datetime.now(UTC)).total_seconds()))
        address: str = self._client.generate_presigned_url(operation, {**self._at(key), **more}, ExpiresIn=seconds)
        return address

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes; None where there is none."""
        try:
            with _translated(key):
                return int(self._client.head_object(**self._at(key))["ContentLength"])
        except ObjectMissing:
            return None

    def read(self, key: str, first: int, last: int) -> bytes:
        """Return the bytes from `first` up to, not including, `last`."""
        if last <= first:
            return b""
        with _translated(key):
            answer = self._client.get_object(**self._at(key), Range=f"bytes={first}-{last - 1}")
            content: bytes = answer["Body"].read()
            return content

    def stream(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes."""
        with _translated(key):
            yield from self._client.get_object(**self._at(key))["Body"].iter_chunks(PIECE)

    @contextmanager
    def writer(self, key: str) -> Iterator[IO[bytes]]:
        """Open an object for writing; what is larger than a part goes as a multipart upload."""
        target = _Multipart(self._client, self._at(key), self._sealed)
        with _translated(key):
            try:
                yield target  # type: ignore[misc]  # it writes, which is all that is asked
                target.end()
            except BaseException:
                target.abort()
                raise

    def delete(self, prefix: str) -> None:
        """Delete the object of that key and all below it."""
        with _translated(prefix):
            self._client.delete_object(**self._at(prefix))
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{prefix}/"):
                for found in page.get("Contents", []):
                    self._client.delete_object(Bucket=self._bucket, Key=found["Key"])

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}


class _Multipart:
    def __init__(self, client: Any, at: dict[str, str], sealed: dict[str, str]) -> None:
        self._client, self._at, self._sealed = client, at, sealed
        self._waiting = io.BytesIO()
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes) -> int:
        self._waiting.write(data)
        if self._waiting.tell() >= PART:
            self._send()
        return len(data)

    def end(self) -> None:
        if self._upload is None:
            self._client.put_object(**self._at, Body=self._waiting.getvalue(), **self._sealed)
            return
        if self._waiting.tell():
            self._send()
        parts = {"Parts": self._parts}
        self._client.complete_multipart_upload(**self._at, UploadId=self._upload, MultipartUpload=parts)

    def abort(self) -> None:
        if self._upload is not None:
            self._client.abort_multipart_upload(**self._at, UploadId=self._upload)

    def _send(self) -> None:
        if self._upload is None:
            self._upload = self._client.create_multipart_upload(**self._at, **self._sealed)["UploadId"]
        number = len(self._parts) + 1
        body = self._waiting.getvalue()
        sent = self._client.upload_part(**self._at, UploadId=self._upload, PartNumber=number, Body=body)
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
        self._waiting = io.BytesIO()


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            raise ObjectMissing(key=key) from error
        raise StoreUnavailable(reason=error.response.get("Error", {}).get("Code", "refused")) from error
    except (BotoCoreError, OSError) as error:
        raise StoreUnavailable(reason=type(error).__name__) from error
