"""The corpus of one classification as the corpus of another, through their correspondence."""

from collections import Counter, defaultdict
from math import fsum, log

from occode.classification import Classification, Correspondence
from occode.coding.normalise import normalise, stem
from occode.training.corpus import NONE, Line


def translate(
    lines: list[Line], source: Classification, target: Classification, links: Correspondence, own: list[Line]
) -> list[Line]:
    """Give every line of `source` the code of `target` that its words fit best among those its code is linked to.

    A code with one link goes there. Where a code splits, its line goes to the link whose words, in the lines of `own` (the
    target's titles and its own corpus), are the nearest; a line that fits none goes to the links' common group. A group's
    line goes to the common group of all that its occupations are linked to, and a text that `own` has already is left to it.
    """
    words = _words(own)
    settled = {line.key for line in own}
    found = []
    for line in lines:
        if line.key in settled:
            continue
        if line.code == NONE:
            found.append(line)
            continue
        linked = {code for leaf in source.below(line.code) for code in links.targets(leaf)}
        code = _nearest(line, linked, words) if len(line.code) == source.levels[-1] else ""
        code = code or target.common(linked)
        if code:
            found.append(Line(line.text, line.field, code))
    return found


def _words(lines: list[Line]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        found[line.code].update(stem(word) for word in normalise(line.text))
    return found


def _nearest(line: Line, codes: set[str], words: dict[str, Counter[str]]) -> str:
    if len(codes) == 1:
        return next(iter(codes))
    mine = {stem(word) for word in normalise(line.text)}
    rarity = {word: log(1 + len(codes) / (1 + sum(word in words[code] for code in codes))) for word in mine}
    # exact sums: the order of a set is another in every process, and must not settle what is a tie
    fit = {code: fsum(rarity[word] for word in mine if word in words[code]) for code in sorted(codes)}
    best = max(fit.values())
    winners = [code for code, value in fit.items() if value == best]
    return winners[0] if best > 0 and len(winners) == 1 else ""
