"""The base of every error that a person is meant to read: its docstring is its message."""

from inspect import getdoc


class OccodeError(Exception):
    """Something went wrong.

    A subclass's docstring, up to the first blank line, is its message; ``{name}`` in it is filled from the
    keyword arguments, which stay readable as attributes.
    """

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.message)

    def __getattr__(self, name: str) -> object:
        """Return the detail called `name`."""
        details = self.__dict__.get("details", {})
        if name in details:
            return details[name]
        raise AttributeError(name)

    @property
    def message(self) -> str:
        """One line that says what happened and, where there is a way out, what to do."""
        template = (getdoc(type(self)) or "").partition("\n\n")[0].replace("\n", " ")
        return template.format(**self.details)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by class and details, so that an error crosses a process boundary whole."""
        return _rebuild, (type(self), self.details)


def _rebuild(kind: type[OccodeError], details: dict[str, object]) -> OccodeError:
    return kind(**details)
