"""How often a client may ask: a moving second and a moving hour, counted where all web processes see it (guide section 1.2)."""

import math
from dataclasses import dataclass
from time import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerSecond
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True)
class Allowance:
    """Requests a second and an hour; 0 stands for no limit."""

    per_second: int
    per_hour: int

    @property
    def items(self) -> list[RateLimitItem]:
        """The limits, the shortest window first, so that a request too soon costs nothing of the hour."""
        second = [RateLimitItemPerSecond(self.per_second)] if self.per_second else []
        hour = [RateLimitItemPerHour(self.per_hour)] if self.per_hour else []
        return [*second, *hour]


@dataclass(frozen=True)
class Verdict:
    """What the limiter says of a request, and of the window that decided: its quota, what is left, the seconds to its reset."""

    allowed: bool
    name: str = ""
    quota: int = 0
    window: int = 0
    remaining: int = 0
    reset: int = 0

    def headers(self) -> dict[str, str]:
        """Return the header fields of draft-ietf-httpapi-ratelimit-headers-10, and ``Retry-After`` (RFC 9110) for a refusal."""
        if not self.name:
            return {}
        found = {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.reset}',
        }
        if not self.allowed:
            found["Retry-After"] = str(max(1, self.reset))
        return found


class Limiter:
    """Counts requests in a `limits` storage; blocking, so not for an event loop.

    Parameters
    ----------
    storage
        Any storage of the `limits` library with moving windows: ours on the database, or Redis.
    fail_open
        Whether a request passes when the storage cannot be reached.
    """

    def __init__(self, storage: Storage, *, fail_open: bool) -> None:
        if not isinstance(storage, MovingWindowSupport):
            raise TypeError(f"{type(storage).__name__} has no moving windows")
        self._storage = storage
        self._limiter = MovingWindowRateLimiter(storage)
        self._fail_open = fail_open

    def take(self, key: str, allowance: Allowance) -> Verdict:
        """Count one request of `key` and say whether it is allowed."""
        verdict = Verdict(allowed=True)
        try:
            for item in allowance.items:
                allowed = self._limiter.hit(item, key)
                verdict = self._verdict(item, key, allowed=allowed)
                if not allowed:
                    break
        except self._storage.base_exceptions:
            return Verdict(allowed=self._fail_open, name="unavailable" if not self._fail_open else "", reset=1)
        return verdict

    def _verdict(self, item: RateLimitItem, key: str, *, allowed: bool) -> Verdict:
        stats = self._limiter.get_window_stats(item, key)
        reset = max(0, math.ceil(stats.reset_time - time()))
        name = "second" if item.get_expiry() == 1 else "hour"
        return Verdict(allowed, name, item.amount, item.get_expiry(), stats.remaining, reset)
