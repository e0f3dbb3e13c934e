"""The model artefact: a folder of flat arrays and a JSON manifest, checked by hash, mapped into memory, no pickle."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from occode.errors import OccodeError

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"
#: Grows when the arrays change their meaning.
FORMAT = 1


class InvalidModel(OccodeError):
    """The model in {folder} cannot be used: {reason}; train it again with "occode train"."""


@dataclass(frozen=True)
class Arrays:
    """A hierarchical SVM as flat arrays; F features, N nodes, B blocks, L levels.

    keys : uint64 (F,), sorted
        The hashes of the known features.
    idf : float32 (F,)
        Their inverse document frequencies.
    first_block : int32 (F + 1,)
        The blocks of feature f are ``first_block[f]`` to ``first_block[f + 1] - 1``, by ascending parent.
    block_parent : uint16 (B,)
        The parent node that a block belongs to.
    block_weight : uint32 (B,)
        Where the block's weights, one a child of the parent, start in `weights`.
    weights : int8
        The SVMs' weights, quantised: the weight of child c is ``weights[...] * scale[c]``.
    scale, bias : float32 (N,)
        Of each node as a child: the step of its weights and its intercept.
    temperature : float32 (L, 3)
        What the scores of a level are multiplied by before the softmax, for a record with a title only, tasks only, both.
    unseen : float32 (1,)
        The weight of an unknown word in a text's length.
    """

    keys: NDArray[np.uint64]
    idf: NDArray[np.float32]
    first_block: NDArray[np.int32]
    block_parent: NDArray[np.uint16]
    block_weight: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: NDArray[np.float32]
    unseen: NDArray[np.float32]

    @cached_property
    def table(self) -> NDArray[np.uint64]:
        """An open-addressing table from the hash of a feature to its row, built when first asked for."""
        from occode.coding.walk import build_table

        return build_table(self.keys)


@dataclass(frozen=True)
class Model:
    """A loaded model: what its manifest says, and its arrays; immutable, safe to share between threads."""

    manifest: dict[str, Any]
    arrays: Arrays

    @property
    def model_id(self) -> str:
        """The GUID, made from the hash of all that the model was trained from."""
        return str(self.manifest["modelId"])

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The confidence that a code must reach, level by level from the top."""
        return tuple(self.manifest["thresholds"])

    def save(self, folder: Path) -> None:
        """Write the artefact; equal models give equal bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        content = safetensors.numpy.save({name: np.ascontiguousarray(a) for name, a in _fields(self.arrays).items()})
        (folder / ARRAYS).write_bytes(content)
        manifest = {**self.manifest, "format": FORMAT, "arraysSha256": hashlib.sha256(content).hexdigest()}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, *, verify: bool = True) -> "Model":
        """Map the artefact in `folder` into memory.

        Raises
        ------
        InvalidModel
            A file is missing or unreadable, has another format, or its hash is not the manifest's.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if manifest["format"] != FORMAT:
                raise InvalidModel(folder=folder, reason=f"its format is {manifest['format']}, not {FORMAT}")
            if verify and _sha256(folder / ARRAYS) != manifest["arraysSha256"]:
                raise InvalidModel(folder=folder, reason="its arrays are damaged")
            with safe_open(folder / ARRAYS, framework="numpy") as file:
                arrays = Arrays(**{name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  # not a dict
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise InvalidModel(folder=folder, reason=error) from error
        return cls(manifest, arrays)


def _fields(arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name: getattr(arrays, name) for name in Arrays.__dataclass_fields__}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
