"""Putting models to use: register a trained one with its card, retire one, choose the latest."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from occode.coding.model import Model, outdated
from occode.coding.registry import RELEASES, ModelNotFound, Registry, Release, Releases, State
from occode.training.card import NAME as CARD
from occode.training.card import card


def publish(model: Model, registry: Registry, now: datetime) -> Release:
    """Write a model's artefact and its card, and register it as the newest version of its topic.

    A model that is there already (same input, same code) is written again and keeps its version; it is live afterwards.
    Models whose artefacts have an older format, which this code cannot load, are retired.
    """
    topic = model.manifest["topic"]
    folder = registry.path(topic, model.model_id)
    model.save(folder)
    (folder / CARD).write_text(card(model.manifest), encoding="utf-8")
    with _changing(registry, topic) as (found, write):
        found = _retire_outdated(registry, topic, found)
        release = found.find(model.model_id)
        if release is None:
            release = Release(model.model_id, len(found.releases) + 1, now)
            write(Releases((*found.releases, release)))
        elif release.state != "live":
            release = _set_state(found, release, "live", write)
    return release


def _retire_outdated(registry: Registry, topic: str, found: Releases) -> Releases:
    releases = (
        msgspec.structs.replace(release, state="retired") if outdated(registry.path(topic, release.model_id)) else release
        for release in found.releases
    )
    return msgspec.structs.replace(found, releases=tuple(releases))


def set_state(registry: Registry, topic: str, model_id: str, state: State) -> None:
    """Retire a model, or make a retired one live again.

    Raises
    ------
    ModelNotFound
        The topic has no such model.
    """
    with _changing(registry, topic) as (found, write):
        release = found.find(model_id)
        if release is None:
            raise ModelNotFound(model=model_id)
        _set_state(found, release, state, write)


def make_latest(registry: Registry, topic: str, model_id: str) -> None:
    """Have a live model code where none is named, until another is chosen or a newer one published.

    Raises
    ------
    ModelNotFound
        The topic has no such live model.
    """
    with _changing(registry, topic) as (found, write):
        if not any(release.model_id == model_id for release in found.live()):
            raise ModelNotFound(model=model_id)
        write(msgspec.structs.replace(found, latest=model_id))


class _Write:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, releases: Releases) -> None:
        new = self.path.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(releases), indent=1) + b"\n")
        new.replace(self.path)


def _set_state(found: Releases, release: Release, state: State, write: _Write) -> Release:
    changed = msgspec.structs.replace(release, state=state)
    rest = tuple(changed if other is release else other for other in found.releases)
    write(msgspec.structs.replace(found, releases=rest))
    return changed


@contextmanager
def _changing(registry: Registry, topic: str) -> Iterator[tuple[Releases, _Write]]:
    folder = registry.folder / topic
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield registry.releases(topic), _Write(folder / RELEASES)
