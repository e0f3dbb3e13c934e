"""The classifications at hand: those shipped with the package and those of a folder of the operator's."""

from functools import cache, cached_property
from pathlib import Path

from occode.classification.correspondence import Correspondence
from occode.classification.hierarchy import Classification
from occode.errors import OccodeError

SHIPPED = Path(__file__).parent / "data"


class TopicNotFound(OccodeError):
    """There is no topic "{topic}"; the topics are: {known}."""


class CorrespondenceNotFound(OccodeError):
    """There is no correspondence between {source} and {target}."""


class Catalogue:
    """Finds classifications by name in folders; a classification is a folder, so adding one needs no code.

    Parameters
    ----------
    folders
        Places to look in, each holding one folder a classification and, in ``correspondences``, files named
        ``source-target.csv``. An earlier place wins.
    """

    def __init__(self, *folders: Path) -> None:
        self.folders = (*folders, SHIPPED)

    @cached_property
    def _found(self) -> dict[str, Path]:
        """The folder of each classification by its name, sorted; looked for once."""
        found = {path.parent.name: path.parent for folder in reversed(self.folders) for path in folder.glob("*/topic.json")}
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """Return the names of all classifications, sorted."""
        return list(self._found)

    def topics(self) -> list[Classification]:
        """Return the classifications that text is coded to: those with a corpus."""
        return [found for found in map(self.classification, self.names()) if found.corpus]

    def classification(self, name: str) -> Classification:
        """Return the classification called `name`.

        Raises
        ------
        TopicNotFound
            No folder has it.
        """
        return _load(self.folder(name))

    def folder(self, name: str) -> Path:
        """Return the folder of a classification, or raise `TopicNotFound`."""
        if name not in self._found:
            raise TopicNotFound(topic=name, known=", ".join(self._found))
        return self._found[name]

    def topic(self, name: str) -> Classification:
        """Return the classification called `name`, to which text is coded.

        Raises
        ------
        TopicNotFound
            There is none, or it has no corpus.
        """
        found = self.classification(name)
        if not found.corpus:
            raise TopicNotFound(topic=name, known=", ".join(topic.name for topic in self.topics()))
        return found

    def correspondence(self, source: str, target: str) -> Correspondence:
        """Return the links from `source` to `target`, whichever way round the file has them."""
        for folder in self.folders:
            path = folder / "correspondences"
            if (path / f"{source}-{target}.csv").exists():
                return Correspondence.load(path / f"{source}-{target}.csv")
            if (path / f"{target}-{source}.csv").exists():
                return Correspondence.load(path / f"{target}-{source}.csv").reverse()
        raise CorrespondenceNotFound(source=source, target=target)


@cache
def _load(folder: Path) -> Classification:
    return Classification.load(folder)
