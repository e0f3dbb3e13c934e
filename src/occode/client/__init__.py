"""A client of the service for Python programs: tokens fetched and renewed, limits waited for, batches seen through."""

from occode.client.client import Client, Phase, Progress
from occode.client.errors import BatchFailed, ServiceError, ServiceUnreachable

__all__ = ["BatchFailed", "Client", "Phase", "Progress", "ServiceError", "ServiceUnreachable"]
