"""Writes the list of rooms and modules into docs/architecture.md, from the modules' own first lines.

`make rooms` writes it; a test compares. What a room is for is said in its `__init__`, not here.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- What follows is written by `make rooms` from the first line of each module. -->\n"
END = "<!-- The end of what `make rooms` writes. -->\n"
PROJECTS = {
    "The platform: `orderhe_dagster/`": (ROOT / "orderhe_dagster", "orderhe_dagster/"),
    "The local Redshift: `local_redshift/`": (
        ROOT / "local_redshift" / "src" / "local_redshift",
        "local_redshift/src/local_redshift/",
    ),
}

THEIRS = ROOT / "orderhe_dagster" / "defs"
"""What lies here is a team's own: only the room is listed."""


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.splitlines()[0].replace("|", r"\|") if text else ""


def rooms_of(package: Path) -> list[Path]:
    """The folders of a package that hold modules, itself first."""
    folders = {path.parent for path in package.rglob("*.py") if THEIRS not in path.parent.parents}
    return sorted(folders, key=lambda folder: folder.relative_to(package).parts)


def listing() -> str:
    """Every room with its modules, as Markdown."""
    lines: list[str] = []
    for title, (package, shown) in PROJECTS.items():
        lines += ["", f"### {title}"]
        for folder in rooms_of(package):
            name = folder.relative_to(package).as_posix()
            lines += [
                "",
                f"**`{shown}{'' if name == '.' else name + '/'}`** {first_line(folder / '__init__.py')}",
            ]
            modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            if modules and folder != THEIRS:
                lines += ["", "| module | |", "|---|---|"]
                lines += [f"| `{path.name}` | {first_line(path)} |" for path in modules]
    return "\n".join([*lines, "", ""])


def main() -> None:
    """Write the list into the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{listing()}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
