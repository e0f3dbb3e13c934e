"""The models at hand: which versions of which topic are live, read from the models folder.

``<folder>/<topic>/models.json`` lists a topic's releases, oldest first, and ``<folder>/<topic>/<model id>/`` holds each
artefact. Training writes them (`occode.training.publish`); a server notices a change of the list by itself.
"""

import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from occode.classification import Catalogue
from occode.coding.coder import Coder
from occode.coding.model import InvalidModel, Model
from occode.errors import OccodeError

RELEASES = "models.json"
State = Literal["live", "retired"]


class NoModel(OccodeError):
    """There is no model for the topic "{topic}" in {folder}; train one with "occode train --topic {topic}"."""


class ModelNotFound(OccodeError):
    """There is no model "{model}"; "occode models" lists those there are."""


class ModelOfOtherTopic(OccodeError):
    """The model "{model}" codes to "{actual}", not to "{topic}"."""


class InvalidReleases(OccodeError):
    """The list of models {path} cannot be read: {reason}."""


class Release(msgspec.Struct, frozen=True):
    """One model of a topic as it was put to use: `version` counts from 1, `released` is when it was registered."""

    model_id: str
    version: int
    released: datetime
    state: State = "live"


class Releases(msgspec.Struct, frozen=True):
    """The content of ``models.json``: all releases, and which is served as the latest (None: the newest live one)."""

    releases: tuple[Release, ...] = ()
    latest: str | None = None

    def live(self) -> list[Release]:
        """Return the live releases, the newest first."""
        return [release for release in reversed(self.releases) if release.state == "live"]

    def find(self, model_id: str) -> Release | None:
        """Return the release of a model, live or not."""
        return next((release for release in self.releases if release.model_id == model_id), None)


class Registry:
    """Finds and loads models; safe to share between threads.

    Parameters
    ----------
    folder
        The models folder.
    catalogue
        The classifications.
    """

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = folder
        self.catalogue = catalogue

    def releases(self, topic: str) -> Releases:
        """Return a topic's releases, as the file has them now.

        Raises
        ------
        InvalidReleases
            The file is damaged.
        """
        path = f"{self.folder}/{topic}/{RELEASES}"  # asked for with every request: no Path is made
        try:
            return _read(path, os.stat(path).st_mtime_ns)
        except FileNotFoundError:
            return Releases()

    def latest(self, topic: str) -> Release:
        """Return the release that codes where no model is named.

        Raises
        ------
        NoModel
            The topic has no live model.
        """
        found = self.releases(topic)
        live = found.live()
        if not live:
            raise NoModel(topic=topic, folder=self.folder)
        return next((release for release in live if release.model_id == found.latest), live[0])

    def find(self, topic: str, model_id: str) -> Release:
        """Return the live release of `topic` that has this id.

        Raises
        ------
        ModelNotFound
            No topic has it, or it is retired.
        ModelOfOtherTopic
            It belongs to another topic.
        """
        for owner in [topic, *(name for name in self.catalogue.names() if name != topic)]:
            release = self.releases(owner).find(model_id)
            if release and release.state == "live":
                if owner != topic:
                    raise ModelOfOtherTopic(model=model_id, actual=owner, topic=topic)
                return release
        raise ModelNotFound(model=model_id)

    def path(self, topic: str, model_id: str) -> Path:
        """Return the folder of an artefact."""
        return self.folder / topic / model_id

    def coder(self, topic: str, model_id: str | None = None) -> Coder:
        """Return the coder of a model (None: the latest of the topic), loaded once a process.

        Raises
        ------
        TopicNotFound, NoModel, ModelNotFound, ModelOfOtherTopic, InvalidModel
        """
        classification = self.catalogue.classification(topic)
        release = self.find(topic, model_id) if model_id else self.latest(topic)
        return _load(f"{self.folder}/{topic}/{release.model_id}", classification.name, self.catalogue)

    def details(self, topic: str, release: Release) -> dict[str, Any]:
        """Return a model's details (guide section 11.1)."""
        manifest = self.coder(topic, release.model_id).model.manifest
        return {
            "modelId": release.model_id,
            "modelVersion": release.version,
            "modelReleaseDate": release.released.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "modelType": manifest["modelType"],
            "inputFormat": manifest["inputFormat"],
            "topicStandard": manifest["topicStandard"],
            "topicVersion": manifest["topicVersion"],
        }


@lru_cache(maxsize=256)
def _read(path: str, changed: int) -> Releases:  # `changed` is part of the key: a new file is read anew
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Releases)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidReleases(path=path, reason=error) from error


@lru_cache(maxsize=16)
def _load(folder: str, topic: str, catalogue: Catalogue) -> Coder:
    model, classification = Model.load(Path(folder)), catalogue.classification(topic)
    if model.manifest["fingerprint"]["classification"] != classification.digest:
        raise InvalidModel(folder=folder, reason="it was trained for another version of the classification")
    return Coder(model, classification)
