"""Kubernetes' own schemas, for the oldest and the newest version that the manifests support."""

from typing import Any

OLDEST, NEWEST = "1.30", "1.37.0"


def validate(document: dict[str, Any], version: str) -> None:
    """Validate an object. Raises ValidationError."""
    # Its import compiles grammars for seconds, and every process of the tests collects all tests.
    import kubernetes_validate

    assert kubernetes_validate.latest_version() == NEWEST
    kubernetes_validate.validate(document, version, strict=True)
