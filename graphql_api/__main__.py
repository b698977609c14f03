"""The entry point of the commands `renewals` and `python -m graphql_api`. It first checks for shadowed packages."""

import importlib.util
import sys
from pathlib import Path

PACKAGES = ("renewals", "schema", "workers")
"""The packages beside this one. Their names are common, so another distribution may have such a package."""
_SITE = Path(__file__).resolve().parents[1]


def shadowed_packages() -> list[str]:
    """Return a sentence for each of PACKAGES that Python would not find, or would import from another directory."""
    specs = {name: importlib.util.find_spec(name) for name in PACKAGES}
    origins = {name: spec.origin if spec else None for name, spec in specs.items()}
    return [
        f"Python would import `{name}` from {origin or 'no file'}, but Renewals needs the one in {_SITE}. "
        "Install Renewals into its own environment, and start it in a directory without a module of that name."
        for name, origin in origins.items()
        if origin is None or Path(origin).resolve() != _SITE / name / "__init__.py"
    ]


def main() -> None:
    """Run the command line; exit with 1 if one of PACKAGES is missing or shadowed."""
    if sentences := shadowed_packages():
        sys.exit("\n".join(sentences))
    # With Python's default thresholds, garbage collection takes 17 % of the time from the start to the first response.
    from renewals.observability import gc_tuning  # noqa: PLC0415

    gc_tuning.collect_rarely()
    from graphql_api.cli.main import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
