"""What the coder may and may not say, whatever it is asked."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from occode.coding.coder import Coder
from occode.coding.lines import code_lines
from occode.coding.record import Record
from occode.training.examples import official_lines
from tests.properties.test_kernels import RECORD

FOREIGN = [
    "Krankenschwester auf der Intensivstation", "Lastwagenfahrer im Fernverkehr", "enseignante de maternelle",
    "enfermera de urgencias", "conductor de camiones", "insegnante di scuola elementare", "cameriere in un ristorante",
    "giao vien tieu hoc", "tai xe xe tai", "guru sekolah dasar", "supir truk barang", "ogretmen ilkokulda",
]  # fmt: skip
NAMES = ["Margaret Nguyen", "John Papadopoulos", "Li Wei Zhang", "Siobhan O'Reilly", "Mohammed Al Hashimi", "Priya Raghunathan"]
NONSENSE = [
    "qwrtzp",
    "asdfgh jkl",
    "xxxxxx",
    "lorem ipsum dolor sit amet",
    "12345 67890",
    "!!!",
    "blah blah",
    "n/a n/a",
    "?",
    "- - -",
]


@given(record=RECORD, suggestions=st.none() | st.integers(0, 16))
@settings(deadline=None, max_examples=100)
def test_answers_hold_nothing_but_codes_and_labels_of_the_classification(
    osca: Coder, record: tuple[str, str], suggestions: int | None
) -> None:
    """Guide section 12; ranked by confidence, no code twice, not more than were asked for."""
    coding = osca.code(*record, suggestions=suggestions)
    given_out = [*([coding.result] if coding.result else []), *coding.candidates]
    for found in given_out:
        assert osca.classification.label(found.code) == found.label
        assert 0 <= found.confidence <= 1
    codes = [found.code for found in given_out]
    assert len(set(codes)) == len(codes)
    sure = [found.confidence for found in coding.candidates]
    assert sure == sorted(sure, reverse=True)
    assert all(len(found.code) == 6 for found in coding.candidates)
    most = {None: 1 if coding.result else 3}.get(suggestions, suggestions)
    assert len(given_out) <= max(most or 0, 1 if coding.result else 0)


@given(st.lists(st.binary(max_size=80), max_size=20))
@settings(deadline=None, max_examples=50)
def test_every_line_of_a_file_has_its_answer(osca: Coder, lines: list[bytes]) -> None:
    """Whatever is in it."""
    coded, counts = code_lines(osca, [line.replace(b"\n", b" ") for line in lines])
    assert coded.count(b"\n") == counts.total == len(lines)


@pytest.mark.parametrize("texts", [FOREIGN, NAMES, NONSENSE], ids=["other languages", "names of people", "nonsense"])
@pytest.mark.parametrize("topic", ["osca", "anzsco"])
def test_what_is_no_english_about_a_job_is_not_coded(topic: str, texts: list[str], request: pytest.FixtureRequest) -> None:
    """A text whose content words the model has never seen must not be coded with confidence."""
    coder: Coder = request.getfixturevalue(topic)
    coded = {text: found.result for text, found in zip(texts, coder.code_many([Record(text) for text in texts]), strict=True)}
    assert not {text: result for text, result in coded.items() if result}


def test_shuffled_letters_are_hardly_ever_coded(osca: Coder) -> None:
    """A thousand titles, the letters of each word in another order: under 2 in 100."""
    chance = random.Random(11)
    titles = chance.sample([line.text for line in official_lines(osca.classification)], 1000)
    texts = [Record(" ".join("".join(chance.sample(word, len(word))) for word in title.split())[:100]) for title in titles]
    assert sum(coding.result is not None for coding in osca.code_many(texts)) < 20


def test_random_letters_are_not_coded(osca: Coder) -> None:
    """Not one in two hundred."""
    chance = random.Random(3)
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randrange(4, 11))) for _ in range(400)]
    texts = [Record(f"{first} {second}") for first, second in zip(words[::2], words[1::2], strict=True)]
    assert sum(coding.result is not None for coding in osca.code_many(texts)) <= 1


@pytest.mark.parametrize("topic", ["osca", "anzsco"])
def test_out_of_fold_the_confidence_is_honest(topic: str, request: pytest.FixtureRequest) -> None:
    """At every level: precision of the codes given within 0.01 of the target, calibration error at most 0.02.

    A level at which few codes are given has three standard errors of its precision instead, where that is more.
    """
    manifest = request.getfixturevalue(topic).model.manifest
    target = manifest["fingerprint"]["options"]["target_precision"]
    for row in manifest["metrics"]["all"]:
        given = row["coded"] * manifest["sizes"]["scored"]
        error = (target * (1 - target) / max(1, given)) ** 0.5
        assert given < 30 or abs(row["precision"] - target) <= max(0.01, 3 * error)
        assert row["ece"] <= 0.02
