"""The model artefact: a folder of flat arrays and a JSON manifest, checked by hash, mapped into memory, no pickle."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from occode.errors import OccodeError

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"
#: The types of safetensors that the arrays have.
_DTYPES = {"U64": np.uint64, "F32": np.float32, "U8": np.uint8}
#: Grows when the arrays, the features or what the coder reads of the manifest change their meaning.
FORMAT = 6


class InvalidModel(OccodeError):
    """The model in {folder} cannot be used: {reason}; train it again with "occode train"."""


@dataclass(frozen=True)
class Arrays:
    """A hierarchical SVM as flat arrays; N nodes, L levels.

    table : uint64 (a power of two,)
        The way from a feature's hash to its entry: ``high half of the hash << 32 | place``, 0 where empty, see
        `occode.coding.entries`.
    entries : uint8
        An entry a feature, at byte ``2 * place``, all that the walk wants to know of it in one piece, see
        `occode.coding.entries`.
    scale, bias : float32 (N,)
        Of each node as a child: the step of its 8-bit weights and its intercept.
    temperature : float32 (L, 3)
        What the scores of a level are multiplied by before the softmax, for a record with a title only, tasks only, both.
    unseen : float32 (1,)
        The weight of an unknown word in a text's length.
    lapse : float32 (L, 3)
        Of each level and kind of record, the share of a parent's probability that its children get in equal parts,
        whatever their scores.
    """

    table: NDArray[np.uint64]
    entries: NDArray[np.uint8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: NDArray[np.float32]
    unseen: NDArray[np.float32]
    lapse: NDArray[np.float32]


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
    def thresholds(self) -> tuple[tuple[float, ...], ...]:
        """The confidence that a code must reach, level by level from the top, for each kind of `occode.coding.record` in order."""
        return tuple(map(tuple, self.manifest["thresholds"]))

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
            arrays = Arrays(**_map(folder / ARRAYS))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidModel(folder=folder, reason=error) from error
        return cls(manifest, arrays)


def outdated(folder: Path) -> bool:
    """Say whether the manifest in `folder` names a format from before this code's."""
    try:
        return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["format"] < FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _fields(arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name: getattr(arrays, name) for name in Arrays.__dataclass_fields__}


def _map(path: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays of a safetensors file, so that all processes share one copy (the library itself copies)."""
    content = np.memmap(path, np.uint8, "r")  # safetensors puts wide types first: all arrays are aligned to their types
    size = int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8 : 8 + size].tobytes())
    data = np.asarray(content[8 + size :])
    found = {}
    for name, about in header.items():
        first, last = about["data_offsets"]
        found[name] = data[first:last].view(_DTYPES[about["dtype"]]).reshape(about["shape"])
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
