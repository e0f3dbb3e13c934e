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
