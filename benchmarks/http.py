"""The service under load on loopback: requests a second against the same server's empty handler, and how long they take."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.data import many
from tests.conftest import serving, token

SECONDS = 8
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
    """Drive the service with wrk and print the figures."""
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
        for connections in (1, 16):
            empty = _wrk(f"{address}/health/live", connections)
            table.add_row("empty handler", str(connections), f"{empty[0]:,.0f}", "1.00", f"{empty[1]:.2f}", f"{empty[2]:.2f}")
            for what, bodies in (("1 record", ones), ("300 records", batches)):
                path = Path(name, "bodies")
                path.write_text("\n".join(bodies))
                script = Path(name, "script.lua")
                script.write_text(SCRIPT.format(bodies=path, token=bearer))
                rate, middle, high = _wrk(f"{address}/v1/topics/osca/code", connections, script)
                cells = (f"{rate:,.0f}", f"{rate / empty[0]:.2f}", f"{middle:.2f}", f"{high:.2f}")
                table.add_row(what, str(connections), *cells)
    console.print(table)


def _wrk(url: str, connections: int, script: Path | None = None) -> tuple[float, float, float]:
    """Return requests a second, and the median and the 99th percentile of the latency in milliseconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", *(["-s", str(script)] if script else []), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return rate, *(_milliseconds(re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", text)) for share in (50, 99))


def _milliseconds(found: re.Match[str]) -> float:
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]
