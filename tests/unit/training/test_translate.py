"""One classification's corpus as another's."""

from occode.classification import Catalogue
from occode.training.corpus import NONE, Line
from occode.training.translate import translate

CATALOGUE = Catalogue()
OSCA, ANZSCO = CATALOGUE.classification("osca"), CATALOGUE.classification("anzsco")
LINKS = CATALOGUE.correspondence("osca", "anzsco")


def _translated(*lines: Line, own: tuple[Line, ...] = ()) -> list[Line]:
    return translate(list(lines), OSCA, ANZSCO, LINKS, list(own))


def test_a_code_with_one_link_goes_there() -> None:
    """The text is kept."""
    single = next(leaf for leaf in OSCA.leaves if len(LINKS.targets(leaf)) == 1)
    line = Line("some job", "titles", single)
    assert _translated(line) == [Line("some job", "titles", LINKS.targets(single)[0])]


def test_a_line_of_a_split_code_goes_to_the_link_that_its_words_fit() -> None:
    """Or, fitting none, to the group that the links share."""
    split = next(leaf for leaf in OSCA.leaves if len(LINKS.targets(leaf)) == 2)
    one, two = LINKS.targets(split)
    own = (Line("zebra keeper", "titles", one), Line("lion tamer", "titles", two))
    found = _translated(Line("head tamer", "titles", split), Line("odd job", "titles", split), own=own)
    assert found[0].code == two
    assert ANZSCO.common({one, two}) == (found[1].code if len(found) > 1 else "")


def test_a_text_of_no_occupation_stays_one_and_a_settled_text_is_left_alone() -> None:
    """The target's own lines win."""
    own = Line("settled job", "titles", ANZSCO.leaves[0])
    found = _translated(Line("retired", "titles", NONE), Line("Settled Job", "titles", OSCA.leaves[5]), own=(own,))
    assert found == [Line("retired", "titles", NONE)]


def test_a_tie_is_a_tie_in_whatever_order_the_words_come() -> None:
    """Sums of the same numbers in another order may differ in their last bit, and sets have another order in every process."""
    split = next(leaf for leaf in OSCA.leaves if len(LINKS.targets(leaf)) > 2)
    one, two, three = LINKS.targets(split)[:3]
    own, lines = [], []
    for i in range(100):
        words = {code: [f"{code}x{i}x{j}" for j in range(9)] for code in (one, two)}
        own += [Line(" ".join(words[code]), "titles", code) for code in words]
        own.append(Line(" ".join(word for code in words for word in words[code][:3]), "titles", three))
        lines.append(Line(" ".join(word for code in words for word in words[code]), "titles", split))
    assert not {line.code for line in _translated(*lines, own=tuple(own))} & {one, two}
