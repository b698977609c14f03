"""Every relative link in the project's Markdown leads to an existing file, and every anchor to a heading in it."""

import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)?$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def pages() -> list[str]:
    """Return the text of each Markdown file of the project by path, without those of dependencies."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    paths = tracked or [
        str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md"))
    ]
    return sorted(name for name in paths if "node_modules" not in name and (ROOT / name).exists())


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub generates them."""
    counts: Counter[str] = Counter()
    names = set()
    for title in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        text = LINK.sub(lambda link: link[0].partition("]")[0].lstrip("!["), title)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        names.add(f"{anchor}-{counts[anchor]}" if counts[anchor] else anchor)
        counts[anchor] += 1
    return frozenset(names)


def find_broken_links(page: Path, text: str) -> list[str]:
    """Return the broken links of a page."""
    broken_links = []
    for target in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        if ELSEWHERE.match(target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        exists = leads_to.exists() and leads_to.is_relative_to(ROOT)
        if not exists or (anchor and anchor not in anchors(leads_to)):
            broken_links.append(target)
    return broken_links


@pytest.mark.parametrize("name", pages())
def test_every_link_of_a_page_works(name: str) -> None:
    page = ROOT / name
    assert not find_broken_links(page, page.read_text(encoding="utf-8"))


def test_the_checked_pages_include_the_readme_the_docs_and_the_decisions() -> None:
    assert {"README.md", "SECURITY.md", "docs/operations.md", "docs/adr/0001-cents-as-integers.md"} <= set(
        pages()
    )


def test_the_index_links_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    targets = LINK.findall(index.read_text(encoding="utf-8"))
    linked = [name for name in targets if "/" not in name and name.endswith(".md")]
    assert sorted(linked) == sorted(
        path.name for path in (ROOT / "docs").glob("*.md") if path.name != index.name
    )
    chinese = LINK.findall((ROOT / "docs/zh/README.md").read_text(encoding="utf-8"))
    in_chinese = {path.name for path in (ROOT / "docs/zh").glob("*.md")} - {index.name}
    assert in_chinese <= set(chinese)
    assert not {f"../{name}" for name in in_chinese} & set(chinese), "link to the Chinese page"


def test_a_broken_link_or_anchor_is_reported() -> None:
    page = ROOT / "docs" / "operations.md"
    text = "[a](#sizing) [b](#no-such) [c](limits.md#the-cost) [d](none.md) [e](https://example.com) `[f](none.md)`"
    assert find_broken_links(page, text) == ["#no-such", "none.md"]


def test_the_runbook_link_of_every_alert_works() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    runbooks = re.findall(r"runbook: (\S+)", rules)
    assert runbooks
    assert not find_broken_links(
        ROOT / "README.md", " ".join(f"[runbook]({runbook})" for runbook in runbooks)
    )


def test_every_file_that_contributing_names_exists() -> None:
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []
