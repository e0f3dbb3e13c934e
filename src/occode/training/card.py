"""A model's card: what it was made from, how well it did out of fold, and what it is not for."""

from typing import Any

NAME = "card.md"
KINDS = {"title": "Title only", "tasks": "Tasks only", "both": "Title and tasks", "all": "All"}
SIZES = {
    "lines": "corpus lines",
    "rows": "labelled rows of the operator's own",
    "distinctRows": "of these, distinct pairs of text and code",
    "examples": "training examples, with combinations and misspelt copies",
    "features": "features: words, word pairs, openings of words and character fragments",
    "scored": "examples scored out of fold",
}
LIMITS = """\
- It codes English job titles and tasks of 3 to 100 characters in all; text in other languages is unknown words to it.
- A code is a statistical estimate, not a ruling: do not decide about a person (pay, visa, benefit) by it alone.
- The figures above are of texts like the training text. Measure your own with `occode evaluate`; where your records differ,
  coverage and precision differ, and the thresholds hold their target only on average, not for each category, nor, at the
  deepest level, for each kind of text.
- A text alone may not tell an occupation: "manager" or "consultant" has no code of the deepest level, and should get none.
- Categories with little training text are coded less often and less well than common ones.
- It knows the classification's version above; a new edition needs a new model."""


def card(manifest: dict[str, Any]) -> str:
    """Return the card of a model, in Markdown, from its manifest alone."""
    parts = [
        f"# {manifest['topicStandard']}, model {manifest['modelId']}",
        _facts(manifest),
        "## Data",
        _data(manifest),
        "## Out-of-fold scores",
        _scores_note(manifest),
        *_scores(manifest),
        "## Thresholds",
        _thresholds(manifest),
        "## Limits of use",
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def _facts(manifest: dict[str, Any]) -> str:
    facts = {
        "Topic": f"{manifest['topic']}, version {manifest['topicVersion']} of the standard",
        "Type": f"{manifest['modelType']}: one linear support vector machine a parent category over its children, calibrated",
        "Input": " and ".join(f"`{name}`" for name in manifest["inputFormat"]),
        "Output": "the deepest code that is sure enough, with the probability that it is right, or suggestions",
    }
    return _list(facts)


def _data(manifest: dict[str, Any]) -> str:
    sizes, made = manifest.get("sizes", {}), manifest.get("fingerprint", {})
    rows = [f"| {about} | {sizes[name]:,} |" for name, about in SIZES.items() if name in sizes]
    table = "\n".join(["| what | how many |", "|---|---:|", *rows])
    hashes = {f"SHA-256 of {name}": f"`{digest}`" for name, digest in sorted(made.get("sources", {}).items())}
    hashes |= {f"SHA-256 of the {name}": f"`{made[name]}`" for name in ("classification", "code") if name in made}
    hashes |= {f"Library {name}": version for name, version in sorted(made.get("libraries", {}).items())}
    return f"{table}\n\n{_list(hashes)}" if hashes else table


def _scores_note(manifest: dict[str, Any]) -> str:
    folds = manifest.get("fingerprint", {}).get("options", {}).get("folds")
    apart = f"; near-copies share one of {folds} folds" if folds else ""
    return (
        f"Each text is scored by machines that have seen neither it nor a near-copy of it{apart}. *Right* is the share of all "
        "texts whose best category of the level is right, *calibration error* the mean gap between confidence and that share, "
        "*coded* the share of texts given a code of exactly this level, *precision* the share of those that are right."
    )


def _scores(manifest: dict[str, Any]) -> list[str]:
    found = []
    for kind, name in KINDS.items():
        rows = manifest.get("metrics", {}).get(kind, [])
        lines = [_score(label, row) for label, row in zip(_levels(manifest), rows, strict=True)] if rows else []
        head = ["| level | right | calibration error | coded | precision |", "|---|---:|---:|---:|---:|"]
        found += [f"### {name}", "\n".join([*head, *lines])] if lines else []
    return found


def _score(label: str, row: dict[str, float]) -> str:
    precision = f"{row['precision']:.1%}" if row["coded"] else "-"
    return f"| {label} | {row['accuracy']:.1%} | {row['ece']:.3f} | {row['coded']:.1%} | {precision} |"


def _thresholds(manifest: dict[str, Any]) -> str:
    target = manifest.get("fingerprint", {}).get("options", {}).get("target_precision")
    aim = (
        f"Set for {target:.1%} of the given codes to be right: the deepest over records with a title, the rest by kind. "
        if target is not None
        else ""
    )
    rows = [
        f"| {label} | {' | '.join(f'{value:.4f}' for value in values)} |"
        for label, values in zip(_levels(manifest), manifest["thresholds"], strict=True)
    ]
    note = f"{aim}A code is given at the deepest level whose best category reaches its threshold."
    return "\n".join([note, "", "| level | title only | tasks only | both |", "|---|---:|---:|---:|", *rows])


def _levels(manifest: dict[str, Any]) -> list[str]:
    names = manifest.get("levelNames") or [f"level {i + 1}" for i in range(len(manifest["thresholds"]))]
    return [str(name) for name in names]


def _list(facts: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
