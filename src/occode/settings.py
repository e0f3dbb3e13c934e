"""What an operator can set: each setting's name, default and meaning, and where its value came from.

A flag wins over an ``OCCODE_*`` environment variable, which wins over the default. Only entry points call `read`.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from occode.errors import OccodeError
from occode.places import default_data_dir

PREFIX = "OCCODE_"


class InvalidSetting(OccodeError):
    """The setting {name} cannot be {value!r}: {reason}."""


def _setting(default: Any, about: str, *, secret: bool = False) -> Any:
    """Return a dataclass field with what `occode settings` says of it."""
    return field(default=default, metadata={"about": about, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """All settings, with their defaults."""

    data_dir: Path = field(
        default_factory=default_data_dir,
        metadata={"about": "folder of the models, and of the default database and objects"},
    )
    database_url: str = _setting("", "database; empty: SQLite in the data folder; postgresql+psycopg://user@host/name", secret=True)
    object_store: str = _setting("", "where batch files are kept; empty: the data folder; s3://bucket")
    objects_dir: Path = _setting(
        Path(), "folder of the batch files where no object store is named; empty: objects, in the data folder"
    )
    s3_endpoint: str = _setting("", "address of an S3 service other than AWS")
    s3_region: str = _setting("us-east-1", "region of the S3 service")
    s3_access_key: str = _setting("", "access key of the S3 service; empty: what boto3 finds", secret=True)
    s3_secret_key: str = _setting("", "secret key of the S3 service", secret=True)
    s3_kms_key: str = _setting("", "id of the KMS key that seals objects in S3")
    master_key: str = _setting("", "file with the 32-byte key that wraps object keys; empty: made in the data folder")
    engine: str = _setting("local", "what codes chunks of a batch: local (all cores) or ray://host:port")
    engine_processes: int = _setting(0, "processes of the local engine; 0: one a core")
    scanner: str = _setting("none", "malware scanner of batch uploads: none or clamd://host:port")
    limits: str = _setting("", "where rate limits are counted; empty: the database; redis://host")
    limits_fail: str = _setting("closed", "when limits cannot be counted: closed (refuse) or open (let through)")
    public_per_second: int = _setting(1, "requests a second of a public client; 0: no limit")
    public_per_hour: int = _setting(100, "requests an hour of a public client; 0: no limit")
    partner_per_second: int = _setting(0, "requests a second of a partner client; 0: no limit")
    partner_per_hour: int = _setting(0, "requests an hour of a partner client; 0: no limit")
    public_url: str = _setting("", "address under which clients reach the service, for upload and download links")
    max_upload_bytes: int = _setting(5 * 1024**3, "largest batch input file")
    client_id: str = _setting("", "client id for `occode code --url`")
    client_secret: str = _setting("", "client secret for `occode code --url`", secret=True)
    terms_version: str = _setting("1", "version of the terms of use that clients accept")
    security_contact: str = _setting("mailto:security@localhost", "whom /v1/security.txt names")
    metrics_port: int = _setting(0, "port of the Prometheus metrics, on the service's own address; 0: none")
    log_level: str = _setting("info", "debug, info, warning or error")
    log_format: str = _setting("auto", "json, text, or auto: text on a terminal")

    @property
    def database(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'occode.db'}"

    @property
    def objects(self) -> Path:
        """The folder of the batch files."""
        return self.data_dir / "objects" if self.objects_dir == Path() else self.objects_dir

    @property
    def key_file(self) -> Path:
        """The file of the master key of the folder of batch files."""
        return Path(self.master_key) if self.master_key else self.objects.parent / "master.key"

    @property
    def models(self) -> Path:
        """The models folder."""
        return self.data_dir / "models"


@dataclass(frozen=True)
class Origin:
    """One setting as it stands: its name as an environment variable, its value, where it came from, what it means."""

    name: str
    value: str
    source: str
    about: str


def read(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Put settings together.

    Parameters
    ----------
    flags
        Values given on the command line, by field name; None where a flag was not given.
    environment
        Usually ``os.environ``.

    Raises
    ------
    InvalidSetting
        A value does not fit.
    """
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    hints = get_type_hints(Settings)
    values = {f.name: _convert(name, environment[name], hints[f.name]) for name, f in known.items() if environment.get(name)}
    values |= {name: value for name, value in flags.items() if value is not None}
    return _checked(Settings(**values))


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Return the ``OCCODE_*`` variables that are no setting: a slip should not go unseen."""
    known = {PREFIX + f.name.upper() for f in fields(Settings)}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def as_environment(settings: Settings) -> dict[str, str]:
    """Return environment variables from which `read` makes equal settings in another process."""
    return {PREFIX + f.name.upper(): str(value) for f in fields(Settings) if (value := getattr(settings, f.name)) != f.default}


def origins(settings: Settings, flags: Mapping[str, Any], environment: Mapping[str, str]) -> list[Origin]:
    """Return every setting with its origin; secrets are shown as ``***``."""
    return [_origin(settings, f, flags, environment) for f in fields(Settings)]


def _origin(settings: Settings, f: "Field[Any]", flags: Mapping[str, Any], environment: Mapping[str, str]) -> Origin:
    name = PREFIX + f.name.upper()
    value = str(getattr(settings, f.name))
    if f.metadata.get("secret") and value:
        value = "***"
    source = "flag" if flags.get(f.name) is not None else ("environment" if environment.get(name) else "default")
    return Origin(name, value, source, f.metadata["about"])


def _convert(name: str, text: str, kind: Any) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidSetting(name=name, value=text, reason=error) from error


_CHOICES = {
    "limits_fail": ("closed", "open"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("auto", "json", "text"),
}


def _checked(settings: Settings) -> Settings:
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            raise InvalidSetting(
                name=PREFIX + name.upper(), value=getattr(settings, name), reason=f"it is one of {', '.join(choices)}"
            )
    for f in fields(Settings):
        value = getattr(settings, f.name)
        if isinstance(value, int) and value < 0:
            raise InvalidSetting(name=PREFIX + f.name.upper(), value=value, reason="it is not below zero")
    starts = {
        "engine": ("local", "ray://"),
        "scanner": ("none", "clamd://"),
        "limits": ("", "redis://", "rediss://"),
        "object_store": ("", "s3://"),
    }
    for name, allowed in starts.items():
        value = getattr(settings, name)
        if not any(value == start or (start.endswith("//") and value.startswith(start)) for start in allowed):
            raise InvalidSetting(
                name=PREFIX + name.upper(),
                value=value,
                reason=f"it is one of {', '.join(a or 'empty' for a in allowed)}",
            )
    return settings
