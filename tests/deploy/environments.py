"""Helpers for the tests of deployments: they read the environment of a deployment as the program's settings."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from cryptography.fernet import Fernet
from typer.testing import CliRunner

from graphql_api.cli import main
from renewals import config

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NAMES = config.variables().keys()
EXAMPLE_KEY = "A_FERNET_KEY"


def read(path: Path) -> dict[str, str]:
    """Read a file of NAME=value lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def settings_from(environment: Mapping[str, str]) -> config.Settings:
    """Return the settings of a process with this environment. Fail if the name of a variable is unknown."""
    assert environment.keys() <= NAMES, environment.keys() - NAMES
    known_variables = {
        name: value.replace(EXAMPLE_KEY, Fernet.generate_key().decode())
        for name, value in environment.items()
    }
    with mock.patch.dict(os.environ, known_variables, clear=True):
        return config.Settings()


def accepts_command(words: list[str]) -> bool:
    """Return whether `renewals` accepts the command and its options."""
    return CliRunner().invoke(main.app, [*words, "--help"]).exit_code == 0
