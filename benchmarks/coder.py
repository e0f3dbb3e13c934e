"""The coder against its peers: records a second on one core, and accuracy from the same lines."""

from rich.console import Console
from rich.table import Table

from benchmarks.data import Texts, many, texts
from benchmarks.peers import LEVELS, ByHand, ByHandWithBeam, FastText, HiClass, Peer
from benchmarks.timing import in_turns, on_one_core
from occode.classification import Catalogue
from occode.coding.coder import Coder
from occode.coding.record import Record
from occode.training.train import Options, Task, train

#: Records of a run: ours is so much faster that it gets more, for its clock to tell anything.
OURS, THEIRS = 60_000, 3_000


class Ours:
    """Our coder, trained on the peers' lines; codes with confidence, and here always to 6 digits."""

    name = "occode, trained on the same lines"

    def __init__(self, data: Texts) -> None:
        classification = Catalogue().topic("osca")
        model = train(Task(classification, data.lines, {"benchmark": "lines"}, Options(folds=2)))
        self.coder = Coder(model, classification)

    def predict(self, records: list[Record]) -> list[str]:
        """Code one by one in one thread."""
        codings = self.coder.code_many(records, min_confidence=0, threads=1)
        return [coding.result.code if coding.result else "" for coding in codings]


class Shipped(Ours):
    """The shipped coder with all its lines: larger, and so slower, than what the peers have to carry."""

    name = "occode, as shipped"

    def __init__(self) -> None:
        self.coder = Coder.load("osca")


def run(console: Console) -> None:
    """Print speed and accuracy, and the ratios."""
    data = texts()
    console.print(f"training all on {len(data.lines):,} lines ...")
    shipped, ours = Shipped(), Ours(data)
    greedy = ByHand(data.lines)
    peers: list[Peer] = [ours, greedy, ByHandWithBeam(greedy), HiClass(data.lines), FastText(data.lines)]
    on_one_core()
    plenty = many(OURS)
    few = plenty[:THEIRS]
    contestants = {shipped.name: lambda: shipped.coder.code_many(plenty, threads=1)}
    contestants |= {ours.name: lambda: ours.predict(plenty)}
    contestants |= {peer.name: lambda peer=peer: peer.predict(few) for peer in peers[1:]}
    seconds = in_turns(contestants)
    rates = {name: (OURS if name.startswith("occode") else THEIRS) / taken for name, taken in seconds.items()}
    table = Table("coder", "records/s", "ours x", *(f"right at {level}" for level in LEVELS), title="one core, ~60 characters")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rates[shipped.name] / rate:.1f}", *_accuracy(name, peers, data))
    console.print(table)
    one = in_turns({"one": lambda: [shipped.coder.code(*record) for record in few]})["one"] / len(few)
    console.print(f"one record through the library: {1e6 * one:.0f} microseconds (mean of {len(few):,}, median of 5 runs)")


def _accuracy(name: str, peers: list[Peer], data: Texts) -> list[str]:
    peer = next((peer for peer in peers if peer.name == name), None)
    if peer is None:  # it has learned the held-out lines
        return ["-"] * len(LEVELS)
    said = peer.predict(data.records)
    return [f"{sum(a[:n] == b[:n] for a, b in zip(said, data.codes, strict=True)) / len(said):.3f}" for n in LEVELS]
