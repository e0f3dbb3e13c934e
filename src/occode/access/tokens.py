"""Access tokens: signed claims that live one hour and are checked without asking the database (guide section 3)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from occode.errors import OccodeError

LIFETIME = timedelta(hours=1)
ALGORITHM = "HS256"
ISSUER = "occode"
#: How many checked tokens a process remembers, so that the signature of a busy client's token is computed once.
REMEMBERED = 10_000


class InvalidToken(OccodeError):
    """The token is missing, malformed, forged or expired."""


@dataclass(frozen=True)
class SigningKey:
    """A secret that signs tokens; retired keys still verify until `honoured_until`."""

    key_id: str
    secret: bytes
    created: datetime
    honoured_until: datetime | None = None


class KeyStore(Protocol):
    """Keeps signing keys."""

    def add_key(self, key: SigningKey, *, retire_others_at: datetime | None = None) -> None:
        """Keep a new key; with `retire_others_at`, all others are honoured until then and no longer."""

    def keys(self, now: datetime) -> list[SigningKey]:
        """Return the keys still honoured, the newest first."""


@dataclass(frozen=True)
class Claims:
    """What a checked token says: whose it is and when it ends."""

    client_id: str
    expires: datetime


def new_key(store: KeyStore, now: datetime) -> SigningKey:
    """Make a signing key and put it to use; tokens of the others are honoured until they end."""
    key = SigningKey(secrets.token_hex(8), secrets.token_bytes(32), now)
    store.add_key(key, retire_others_at=now + LIFETIME)
    return key


class Tokens:
    """Issues and checks tokens with the keys of a store; safe to share between threads.

    `refresh` reads the keys; a server calls it at start and every few seconds, and a token of an unknown key reads them again.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._keys: list[SigningKey] = []
        self._checked: dict[str, Claims] = {}

    def refresh(self, now: datetime) -> None:
        """Read the keys from the store; make the first one where there is none."""
        keys = self._store.keys(now) or [new_key(self._store, now)]
        if [key.key_id for key in keys] != [key.key_id for key in self._keys]:
            self._checked = {}
        self._keys = keys

    def issue(self, client_id: str, now: datetime) -> str:
        """Return a token for a client."""
        key = self._keys[0]
        claims = {
            "iss": ISSUER,
            "sub": client_id,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": key.key_id}, claims, _jwk(key), algorithms=[ALGORITHM])

    def check(self, token: str, now: datetime) -> Claims:
        """Return what a token says.

        Raises
        ------
        InvalidToken
            Malformed, forged, signed by a key no longer honoured, another algorithm than HS256, or expired.
        """
        claims = self._checked.get(token)
        if claims is None:
            claims = self._verify(token, now)
            if len(self._checked) >= REMEMBERED:
                self._checked.pop(next(iter(self._checked)))
            self._checked[token] = claims
        if claims.expires <= now:
            raise InvalidToken
        return claims

    def _verify(self, token: str, now: datetime) -> Claims:
        honoured = [key for key in self._keys if key.honoured_until is None or key.honoured_until > now]
        try:
            decoded = jwt.decode(token, KeySet([_jwk(key) for key in honoured]), algorithms=[ALGORITHM])
            claims = decoded.claims
            if claims["iss"] != ISSUER or not isinstance(claims["sub"], str):
                raise InvalidToken
            return Claims(claims["sub"], datetime.fromtimestamp(int(claims["exp"]), tz=now.tzinfo))
        except (JoseError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise InvalidToken from error


def _jwk(key: SigningKey) -> OctKey:
    return OctKey.import_key(key.secret, {"kid": key.key_id})
