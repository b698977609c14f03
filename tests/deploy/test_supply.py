"""The software bill of materials and its audit, against a test server instead of OSV's."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import audit, sbom
from tests.support.waiting import free_port

PIN = re.compile(r"^(\S+)==(\S+)((?:[^\n]*\\\n)(?:\s+--hash=\S+[^\n]*\n)+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
ADVISORY = {
    "id": "GHSA-test-0001",
    "aliases": ["CVE-2026-0001"],
    "summary": "A test.",
    "affected": [
        {
            "package": {"name": "orjson", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]}],
        }
    ],
}


def pins(lock: Path = sbom.LOCK) -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each package and version of a lock."""
    text = lock.read_text(encoding="utf-8")
    hashes_by_pin = {(name, version): set(HASH.findall(rest)) for name, version, rest in PIN.findall(text)}
    assert len(hashes_by_pin) == sum("==" in line and line[0] not in " #" for line in text.splitlines())
    return hashes_by_pin


@contextmanager
def advising(**advisories: object) -> Iterator[str]:
    """Run a server that reports these vulnerabilities by package; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            advisory = advisories.get(query["package"]["name"])
            body = json.dumps({"vulns": [advisory]} if advisory else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture(scope="module")
def bill() -> str:
    return sbom.make()


def test_the_bill_of_materials_is_valid_and_reproducible(bill: str) -> None:
    assert sbom.problem(bill) is None
    assert sbom.problem(bill.replace('"type": "library"', '"type": "libary"')) is not None
    assert json.loads(bill)["specVersion"] == "1.6"
    assert sbom.make() == bill


def test_the_bill_of_materials_lists_each_pinned_package_with_version_and_hashes(bill: str) -> None:
    components = {
        (component["name"], component["version"]): {
            hashed["content"]
            for reference in component["externalReferences"]
            for hashed in reference["hashes"]
        }
        for component in json.loads(bill)["components"]
    }
    assert components == pins()
    assert all(components.values())


def test_the_bill_of_materials_names_no_package_host(bill: str) -> None:
    hosts = set(re.findall(r"\w+://([^/\"]+)", bill))
    assert hosts == {"cyclonedx.org"}  # the schema's own host


def test_the_audit_passes_without_known_vulnerabilities() -> None:
    with advising() as url:
        assert audit.run(audit.LOCK, audit.ACCEPTED, "--osv-url", url) == (
            True,
            f"{len(pins(audit.LOCK))} packages, no known vulnerability",
        )


def test_the_audit_fails_on_a_known_vulnerability_unless_it_is_accepted_for_a_reason(tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.txt"
    accepted.write_text("# none\n")
    with advising(orjson=ADVISORY) as url:
        passes, report = audit.run(audit.LOCK, accepted, "--osv-url", url)
        assert not passes
        [version] = [version for name, version in pins() if name == "orjson"]
        assert report == f"orjson {version}: CVE-2026-0001, GHSA-test-0001; fixed by 999.0"

        accepted.write_text("CVE-2026-0001 we never decode what others sent with it\n")
        passes, _ = audit.run(audit.LOCK, accepted, "--osv-url", url)
        assert passes

        accepted.write_text("CVE-2026-0001\n")
        with pytest.raises(SystemExit, match="must be followed by a reason"):
            audit.run(audit.LOCK, accepted, "--osv-url", url)


def test_the_audit_reports_that_it_is_skipped_without_a_server() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    assert audit.run(audit.LOCK, audit.ACCEPTED, "--osv-url", url) == (
        True,
        "skipped, because the vulnerability database cannot be reached",
    )


def test_the_audit_fails_for_a_lock_without_pins(tmp_path: Path) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text("orjson\n")
    passes, report = audit.run(lock, audit.ACCEPTED)
    assert not passes
    assert "orjson" in report
