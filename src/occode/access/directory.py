"""What a server process knows of its clients without asking the database each time: a snapshot, and counts to be added."""

from datetime import date, datetime
from threading import Lock

from occode.access.clients import Client, ClientStore, InvalidClient, Usage
from occode.access.limits import Allowance

#: Seconds between two looks at the database: a suspended client is out after this long at the latest.
REFRESH_SECONDS = 10


class Directory:
    """Clients by id as of the last `refresh`, and their usage since the last `flush`; safe to share between threads.

    Parameters
    ----------
    store
        The clients.
    tiers
        The allowance of each tier, which a client's own limits override.
    """

    def __init__(self, store: ClientStore, tiers: dict[str, Allowance]) -> None:
        self._store = store
        self._tiers = tiers
        self._clients: dict[str, Client] = {}
        self._counts: dict[tuple[str, date], list[int]] = {}
        self._lock = Lock()

    def refresh(self) -> None:
        """Read all clients."""
        self._clients = {client.client_id: client for client in self._store.all()}

    def active(self, client_id: str) -> Client:
        """Return a client that may use the service.

        Raises
        ------
        InvalidClient
            It is unknown or suspended.
        """
        client = self._clients.get(client_id)
        if client is None:
            client = self._store.get(client_id)
            if client:
                self._clients = {**self._clients, client_id: client}
        if client is None or client.state != "active":
            raise InvalidClient
        return client

    def allowance(self, client: Client) -> Allowance:
        """Return how often a client may ask."""
        tier = self._tiers[client.tier]
        return Allowance(
            tier.per_second if client.per_second is None else client.per_second,
            tier.per_hour if client.per_hour is None else client.per_hour,
        )

    def count(self, client_id: str, day: date, *, requests: int = 0, records: int = 0, coded: int = 0, refused: int = 0) -> None:
        """Remember what a client asked for, until the next `flush`."""
        with self._lock:
            counts = self._counts.setdefault((client_id, day), [0, 0, 0, 0])
            for i, more in enumerate((requests, records, coded, refused)):
                counts[i] += more

    def flush(self, now: datetime) -> None:
        """Add what was counted to the database; what cannot be added is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            self._store.count([Usage(*key, *numbers) for key, numbers in counts.items()], now)
        except Exception:
            for key, (requests, records, coded, refused) in counts.items():
                self.count(*key, requests=requests, records=records, coded=coded, refused=refused)
            raise
