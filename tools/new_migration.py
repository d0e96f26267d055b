"""Write the next migration: the difference between the tables in the code and a freshly migrated database.

Read what it wrote as you would read code: one change each, with the change as its title.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from lms.database import Database
from migrations import revisions
from migrations.running import alembic_config


def main() -> None:
    """Compare, and write ``migrations/versions/NNNN_the_title.py``."""
    title = " ".join(sys.argv[1:]).strip()
    if not title:
        sys.exit('Say what changes: make migration NAME="add the language of a person"')
    config = alembic_config()
    number = f"{1 + int(revisions()[-1]):04}"
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("truncate_slug_length", "60")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{(Path(folder) / 'compare.db').as_posix()}")
        database.upgrade()
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=title, rev_id=number, autogenerate=True)
        database.close()


if __name__ == "__main__":
    main()
