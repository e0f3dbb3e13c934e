"""``occode topics``: what there is to code to."""

from rich.table import Table

from occode.cli.options import DataDir, out, settings_from


def topics(data_dir: DataDir = None) -> None:
    """List the topics, their sizes and their latest models."""
    from occode.wiring import models

    registry = models(settings_from(data_dir))
    table = Table("topic", "name", "version", "categories by level", "latest model", box=None)
    for topic in registry.catalogue.topics():
        sizes = " / ".join(str(sum(len(code) == level for code in topic.categories)) for level in topic.levels)
        live = registry.releases(topic.name).live()
        latest = registry.latest(topic.name).model_id if live else "none: occode train --topic " + topic.name
        table.add_row(topic.name, topic.full_name, topic.version, sizes, latest)
    out.print(table)
