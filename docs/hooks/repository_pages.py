"""Publishes READMEs of the repository as pages, under their own paths, and resolves links to them.

The navigation names a README as `services/gateway/README.md`. Links between pages and READMEs are
relative to the file that holds them, so they also work where the repository is browsed. A link to a
file that is no page, such as source code, becomes its text; a link to a missing file is left as it
is, and fails the strict build. `<!-- include: README.md Try it -->` stands for the section of that
title, without its heading.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
_DOCS = "docs/"
_INCLUDE = re.compile(r"^<!-- include: (?P<path>\S+) (?P<title>.+) -->$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?://|#)([^()\s#]+)(#[^()\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the READMEs that the navigation names, and the pictures of all pages."""
    sources = [_DOCS + page.src_uri for page in files.documentation_pages()]
    for path in _paths(config.nav):
        if (ROOT / path).is_file():
            _publish(path, files, config)
            sources.append(path)
    for source in sources:
        for match in _LINK.finditer((ROOT / source).read_text()):
            picture = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[3]))
            if match[1] and files.get_file_from_path(picture) is None:
                _publish(picture, files, config)
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Includes sections of READMEs, and rewrites links to those of the site."""
    own = page.file.src_uri
    source = _DOCS + own if (ROOT / _DOCS / own).is_file() else own

    def include(match: re.Match[str]) -> str:
        return _with_links(_section(match["path"], match["title"]), match["path"], own, files)

    # Links are rewritten before sections are included, whose links have another base.
    return _with_wide_lists(_INCLUDE.sub(include, _with_links(markdown, source, own, files)))


def _with_wide_lists(text: str) -> str:
    """Indents what belongs to a numbered item by four spaces, which Python's Markdown wants."""
    lines, in_item = [], False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            in_item = re.match(r"\d+\. ", line) is not None
        lines.append(f" {line}" if in_item and line.startswith("   ") else line)
    return "\n".join(lines)


def _section(path: str, title: str) -> str:
    """Returns the text below a heading of the second level, up to the next one."""
    text = (ROOT / path).read_text()
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise PluginError(f"{path} has no section {title!r}")
    return found[1].strip()


def _with_links(text: str, source: str, page: str, files: Files) -> str:
    """Rewrites the links of a text for a page of the site.

    Args:
        text: Markdown.
        source: The file in the repository to which its links are relative.
        page: The path of the page in the site.
        files: The files of the site.
    """

    def rewrite(match: re.Match[str]) -> str:
        mark, label, target, anchor = match.groups(default="")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not (ROOT / path).exists():
            return match[0]
        published = path.removeprefix(_DOCS)
        if files.get_file_from_path(published) is None:
            return match[0] if mark else label
        link = posixpath.relpath(published, posixpath.dirname(page) or ".")
        return f"{mark}[{label}]({link}{anchor})"

    return _LINK.sub(rewrite, text)


def _publish(path: str, files: Files, config: MkDocsConfig) -> None:
    files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))


def _paths(nav: Any) -> Iterator[str]:
    """Yields the paths that a navigation names, at every depth."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        yield from _paths(list(nav.values()))
    elif nav:
        for each in nav:
            yield from _paths(each)
