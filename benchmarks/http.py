"""The service under load on loopback: requests a second against the same server's empty handler, and how long they take."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.data import many
from tests.conftest import serving, token

#: Each request and the empty handler take so many turns of so many seconds; the medians count.
TURNS, SECONDS = 5, 3
SCRIPT = """
local bodies = {{}}
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
local i = 0
request = function()
  i = i % #bodies + 1
  return wrk.format("POST", nil, {{["Authorization"] = "Bearer {token}"}}, bodies[i])
end
"""


def run(console: Console) -> None:
    """Drive the service with wrk and print the figures: each request takes turns with the empty handler, for machines are noisy."""
    if not shutil.which("wrk"):
        console.print("http: wrk is not installed (Debian: apt-get install wrk); left out")
        return
    table = Table(
        "request", "connections", "requests/s", "of empty", "median ms", "p99 ms", title="HTTP on loopback, one web process"
    )
    records = [record._asdict() for record in many(3000)]
    ones = [json.dumps({"record": {"occp_text": r["title"], "tasks_text": r["tasks"]}}) for r in records]
    batches = [json.dumps({"records": [json.loads(one)["record"] for one in ones[i : i + 300]]}) for i in range(0, 3000, 300)]
    with tempfile.TemporaryDirectory() as name, serving(Path(name, "log"), "--demo", "--no-worker") as address:
        bearer = token(address)
        scripts = {}
        for what, bodies in (("1 record", ones), ("300 records", batches)):
            path, scripts[what] = Path(name, f"{what} bodies"), Path(name, f"{what}.lua")
            path.write_text("\n".join(bodies))
            scripts[what].write_text(SCRIPT.format(bodies=path, token=bearer))
        for connections in (1, 16):
            for what, script in scripts.items():
                turns = [
                    (_wrk(f"{address}/health/live", connections), _wrk(f"{address}/v1/topics/osca/code", connections, script))
                    for _ in range(TURNS)
                ]
                empty, ours = ([median(figures) for figures in zip(*runs, strict=True)] for runs in zip(*turns, strict=True))
                share = median(full[0] / bare[0] for bare, full in turns)
                table.add_row("empty handler", str(connections), f"{empty[0]:,.0f}", "1.00", f"{empty[1]:.2f}", f"{empty[2]:.2f}")
                table.add_row(what, str(connections), f"{ours[0]:,.0f}", f"{share:.2f}", f"{ours[1]:.2f}", f"{ours[2]:.2f}")
    console.print(table)


def _wrk(url: str, connections: int, script: Path | None = None) -> tuple[float, float, float]:
    """Return requests a second, and the median and the 99th percentile of the latency in milliseconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", *(["-s", str(script)] if script else []), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return rate, *(_milliseconds(re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", text)) for share in (50, 99))


def _milliseconds(found: re.Match[str]) -> float:
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]
