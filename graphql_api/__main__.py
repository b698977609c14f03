"""`renewals`, and `python -m graphql_api`: the command line, after a look at whether its packages are our own."""

import importlib.util
import sys
from pathlib import Path

PACKAGES = ("renewals", "schema", "workers")
"""The packages beside this one. Their names are short, so another distribution may have one of them."""
_SITE = Path(__file__).resolve().parents[1]


def shadows() -> list[str]:
    """Return one sentence for each package that Python would import from elsewhere, or not at all."""
    found = {name: importlib.util.find_spec(name) for name in PACKAGES}
    origins = {name: spec.origin if spec else None for name, spec in found.items()}
    return [
        f"Python would import `{name}` from {origin or 'nowhere'}, and Renewals needs its own in {_SITE}: "
        "install Renewals into an environment of its own, and start it where no other module has that name."
        for name, origin in origins.items()
        if origin is None or Path(origin).resolve() != _SITE / name / "__init__.py"
    ]


def main() -> None:
    """Run the command line; end with 1 where another package hides one of ours."""
    if sentences := shadows():
        sys.exit("\n".join(sentences))
    from graphql_api.cli.main import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
