"""The standards as shipped: sizes, hierarchy and links."""

import time

import pytest

from occode.classification import Catalogue, TopicNotFound

CATALOGUE = Catalogue()
SIZES = {"osca": (8, 53, 111, 421, 1156), "anzsco": (8, 43, 99, 364, 1076), "isco08": (10, 43, 130, 436)}


@pytest.mark.parametrize("name", SIZES)
def test_a_standard_has_its_published_number_of_categories_at_each_level(name: str) -> None:
    """OSCA 2024, ANZSCO 2022 and ISCO-08 are whole."""
    found = CATALOGUE.classification(name)
    assert tuple(sum(len(code) == level for code in found.categories) for level in found.levels) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_every_category_below_the_top_has_its_parent(name: str) -> None:
    """The tree has no loose ends."""
    found = CATALOGUE.classification(name)
    assert all(found.parent(code) in found for code in found.categories if len(code) > found.levels[0])


@pytest.mark.parametrize(("source", "target"), [("osca", "anzsco"), ("osca", "isco08"), ("anzsco", "isco08")])
def test_every_link_joins_real_codes_and_reads_both_ways(source: str, target: str) -> None:
    """A correspondence ends at codes of both classifications, and its reverse holds the same links."""
    links = CATALOGUE.correspondence(source, target)
    one, other = CATALOGUE.classification(source), CATALOGUE.classification(target)
    pairs = {(link.source, link.target) for link in links.links}
    assert pairs
    assert all(a in one and b in other for a, b in pairs)
    assert {(link.target, link.source) for link in CATALOGUE.correspondence(target, source).links} == pairs


def test_every_osca_occupation_is_linked_to_anzsco_and_the_other_way_round() -> None:
    """No occupation is lost between the two standards."""
    for source, target in (("osca", "anzsco"), ("anzsco", "osca")):
        links = CATALOGUE.correspondence(source, target)
        assert all(links.targets(leaf) for leaf in CATALOGUE.classification(source).leaves)


def test_skill_levels_run_from_one_to_five() -> None:
    """Occupations have a skill level."""
    for name in ("osca", "anzsco"):
        found = CATALOGUE.classification(name)
        skills = [level for leaf in found.leaves for level in found.categories[leaf].skill_levels]
        assert set(skills) == {1, 2, 3, 4, 5}


def test_the_standards_load_in_well_under_a_second() -> None:
    """A command that needs the standards does not wait for them."""
    started = time.perf_counter()
    Catalogue().classification("osca")
    assert time.perf_counter() - started < 1


def test_the_common_group_of_codes_is_the_deepest_that_holds_them_all() -> None:
    """Siblings share their unit group, strangers nothing."""
    osca = CATALOGUE.classification("osca")
    siblings = set(osca.children["2733"])
    assert osca.common(siblings) == "2733"
    assert osca.common({"111131", "899999"}) == ""


def test_an_unknown_topic_is_named_with_those_there_are() -> None:
    """The error says what to choose from."""
    with pytest.raises(TopicNotFound, match='no topic "nope"; the topics are: anzsco'):
        CATALOGUE.classification("nope")
