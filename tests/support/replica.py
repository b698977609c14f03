"""A streaming replica of an embedded server."""

from graphql_api.devserver import binaries, services


class Replica(services.Postgres):
    """A PostgreSQL server that replays the write-ahead log of `primary`."""

    name = "replica"

    def __init__(self, primary: services.Postgres) -> None:
        super().__init__(durable=False)
        self._primary = primary

    def _prepare(self) -> None:
        self._programs = binaries.postgres()
        self._make(self.data)
        source = ["--dbname", self._primary.url, "--write-recovery-conf", "--checkpoint", "fast"]
        self._run([f"{self._programs}/pg_basebackup", "--pgdata", str(self.data), "--no-sync", *source])
