"""From lines to training examples: titles, tasks, both together, and misspelt copies, in folds of near-copies."""

import random
import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from occode.classification import Classification
from occode.coding.normalise import normalise, stem
from occode.training.corpus import NONE, Line
from occode.training.spelling import misspell

#: Words that tell a person's rank, hours or place and not the occupation: lines that differ only in them are near-copies.
MODIFIERS = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "for",
        "in",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "my",
        "i",
        "assistant",
        "senior",
        "junior",
        "trainee",
        "apprentice",
        "lead",
        "leading",
        "head",
        "chief",
        "deputy",
        "acting",
        "casual",
        "part",
        "full",
        "time",
        "self",
        "employed",
        "grade",
        "level",
        "principal",
        "graduate",
        "experienced",
        "qualified",
        "registered",
        "licensed",
        "local",
        "own",
        "business",
        "contractor",
        "regional",
        "state",
        "national",
        "city",
        "rural",
        "council",
        "hospital",
        "school",
        "department",
        "government",
    ]
)


#: Percent of words whose lines, where they are the rarest telling word, all share a fold.
STRANGE = 30


#: How much more a title by itself counts than a task phrase or both together: nearly every record has one.
TITLE_WEIGHT = 2.0


@dataclass(frozen=True)
class Examples:
    """Training examples, row by row.

    `texts` are (title, tasks); `codes` a category at any level or `NONE`; `weights` positive; `folds` small integers:
    near-copies share a fold; `natural` marks the rows that are as people fill in a form: not misspelt by rule.
    """

    texts: list[tuple[str, str]]
    codes: list[str]
    weights: NDArray[np.float32]
    folds: NDArray[np.int32]
    natural: NDArray[np.bool_]


def official_lines(classification: Classification) -> list[Line]:
    """Return the standard's titles as lines: without ``nec``, accents folded, bracketed parts both in and out."""
    found: dict[tuple[tuple[str, str], str], Line] = {}
    for title in classification.titles():
        for text in _spellings(title.title):
            line = Line(text, "titles", title.code)
            found.setdefault((line.key, line.code), line)
    return list(found.values())


def _spellings(title: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    plain = re.sub(r"\s*\b(nec|\((?:NZ|Aus)\))$", "", plain.strip()).strip()
    bracket = re.search(r"\s*\(([^)]*)\)\s*", plain)
    texts = [plain]
    if bracket:
        texts.append((plain[: bracket.start()] + " " + plain[bracket.end() :]).strip())
        texts.append(f"{bracket[1]} {plain[bracket.end() :]}".strip())
    return [text[:100] for text in texts if len(text) >= 3]


def telling_words(text: str) -> tuple[str, ...]:
    """Return the words of a text that tell an occupation, sorted: what near-copies share."""
    words = [stem(word) for word in normalise(text)]
    return tuple(sorted({word for word in words if word not in MODIFIERS}) or sorted(words))


def fold_of(line: Line, folds: int, counts: Counter[str] | None = None, telling: tuple[str, ...] | None = None) -> int:
    """Return the fold of a line, the same for its near-copies: those with the same telling words, in any order.

    With `counts`, how many lines hold each telling word, all lines whose rarest telling word is the same share a fold, whatever
    their codes, for `STRANGE` of a hundred words: as in real answers, some words are then new to the machines that score them.
    `telling` are the line's telling words, where they are known already.
    """
    telling = telling_words(line.text) if telling is None else telling
    if counts is not None and telling:
        rarest = zlib.crc32(min(telling, key=lambda word: (counts[word], word)).encode())
        if rarest % 100 < STRANGE:
            return rarest // 100 % folds
    return zlib.crc32(f"{line.code} {' '.join(telling)}".encode()) % folds


def join(first: Examples, second: Examples) -> Examples:
    """Put two sets of examples one after the other."""
    return Examples(
        first.texts + second.texts,
        first.codes + second.codes,
        np.concatenate([first.weights, second.weights]),
        np.concatenate([first.folds, second.folds]),
        np.concatenate([first.natural, second.natural]),
    )


def make_examples(lines: list[Line], *, folds: int = 5, seed: int = 0, misspelt: float = 0.25, by_code: bool = True) -> Examples:
    """Build the examples of a corpus.

    Every title and every task phrase stands alone; every title is joined with a task phrase of its code and fold; and a
    share of the titles, `misspelt`, is repeated with a slip made by rule. Without `by_code`, lines with the same words share
    a fold even under different codes; with it, some words are held out whole, see `fold_of`.
    """
    chance = random.Random(seed)  # noqa: S311  # training data, not a secret
    rows: list[tuple[tuple[str, str], str, float, int, bool]] = []
    telling = [telling_words(line.text) for line in lines]
    counts = Counter(word for words in telling for word in words)
    placed = [
        (line, fold_of(line, folds, counts, words) if by_code else fold_of(replace(line, code=NONE), folds, telling=words))
        for line, words in zip(lines, telling, strict=True)
    ]
    tasks: dict[tuple[str, int], list[str]] = defaultdict(list)
    for line, fold in placed:
        if line.field == "tasks":
            tasks[line.code, fold].append(line.text)
    for line, fold in placed:
        if line.field == "tasks":
            rows.append((("", line.text), line.code, 1.0, fold, True))
            continue
        rows.append(((line.text, ""), line.code, TITLE_WEIGHT, fold, True))
        partners = tasks.get((line.code, fold))
        if partners and line.code != NONE:
            rows.append(((line.text, chance.choice(partners)), line.code, 1.0, fold, True))
        if chance.random() < misspelt:
            slip = misspell(line.text, chance)
            if slip != line.text:
                rows.append(((slip, ""), line.code, 0.5, fold, False))
    return Examples(
        [row[0] for row in rows],
        [row[1] for row in rows],
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.int32),
        np.array([row[4] for row in rows], np.bool_),
    )
