"""An evaluation as one HTML page that stands alone, with its plots beside it as PNG files."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from occode.errors import OccodeError
from occode.training.figures import Figures, Group
from occode.training.labelled import Tally

TEMPLATE = "report.html"
PAGE = "report.html"


class ReportUnwritable(OccodeError):
    """The report cannot be written to {folder}: {reason}."""


@dataclass(frozen=True)
class About:
    """What was evaluated: the classification, the model, the files, how their rows went, and when."""

    topic: str
    standard: str
    model_id: str
    target_precision: float | None
    files: tuple[str, ...]
    tally: Tally
    now: datetime


def write_report(found: Figures, about: About, folder: Path) -> Path:
    """Write the plots and the page into `folder`, made where it is missing, and return the page's path.

    Raises
    ------
    ReportUnwritable
    """
    from occode.training.plots import plot

    try:
        folder.mkdir(parents=True, exist_ok=True)
        images = {path.stem: _embedded(path) for path in plot(found, folder)}
        (folder / PAGE).write_text(page(found, about, images), encoding="utf-8")
    except OSError as error:
        raise ReportUnwritable(folder=folder, reason=error.strerror or error) from error
    return folder / PAGE


def page(found: Figures, about: About, images: dict[str, str]) -> str:
    """Return the page; `images` are the plots' addresses by their file names without the ending."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "number": "{:,}".format}
    groups: list[tuple[str, tuple[Group, ...]]] = [
        ("By kind of text", found.kinds),
        ("With and without repeated texts", (found.everything, found.distinct)),
        ("By major group", found.majors),
    ]
    return environment.get_template(TEMPLATE).render(found=found, about=about, images=images, groups=groups)


def percent(share: float | None) -> str:
    """Return a share as a percentage with one digit after the point, a dash for none."""
    return "\u2013" if share is None else f"{100 * share:.1f}%"


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + b64encode(path.read_bytes()).decode()
