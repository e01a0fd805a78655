"""The installation that a command is for: the variables that `leadbaton up` keeps in its data directory."""

from __future__ import annotations

import os
from pathlib import Path

from shared.errors import LeadbatonError
from shared.text import unstorable_at

DATABASE_URL = "LEADBATON_DATABASE_URL"


class NoInstallation(LeadbatonError):
    """The data directory holds no installation, and no variable names a database."""

    code = "no_installation"


class InstallationUnreadable(LeadbatonError):
    """The file `env` of the installation cannot be read."""

    code = "installation_unreadable"


def adopt(data: Path) -> bool:
    """Set the variables of the installation in `data` that are not set. Returns False if a variable names a database.

    Raises NoInstallation and InstallationUnreadable.
    """
    if DATABASE_URL in map(str.upper, os.environ):  # Settings take either case
        return False
    for line in _content(data / "env", data).splitlines():
        name, _, value = line.partition("=")
        if name.startswith("LEADBATON_"):
            os.environ.setdefault(name, value)
    if DATABASE_URL not in os.environ:
        raise InstallationUnreadable(
            f"{data / 'env'} names no database: start `leadbaton up` there again, which writes it, "
            f"or name a database in {DATABASE_URL}"
        )
    return True


def _content(file: Path, data: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NoInstallation(
            f"no installation in {data}: start one with `leadbaton up`, name its directory with --data, "
            f"or name a database in {DATABASE_URL}"
        ) from None
    except OSError as error:
        raise InstallationUnreadable(
            f"{file} cannot be read ({error.strerror}): give the command as the user who runs `leadbaton up`, "
            f"or name a database in {DATABASE_URL}"
        ) from None
    except UnicodeDecodeError:
        content = "\0"
    if unstorable_at(content) is not None:
        raise InstallationUnreadable(
            f"{file} is no text in UTF-8: start `leadbaton up` there again, which writes it"
        )
    return content
