"""The writer of the table `search_texts`, which holds a text of each instance for the filter's `search` (rule 4).

The texts are not in the table `instances`, so that a renewal does not write an index of trigrams. Only the reset of the
demo deletes texts.
"""

from collections.abc import Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import search_text
from renewals.domain.registration_rows import InstanceRow


async def upsert_search_texts(
    connection: database.Connection,
    created: Sequence[InstanceRow],
    changed: Sequence[tuple[InstanceRow, InstanceRow]],
) -> None:
    """Insert the texts of new instances, and update those of changed ones (pairs of the stored row and the new row).

    A change without effect on the text, such as another price, is not sent, so that it locks and writes nothing.
    """
    rows = [*created, *(row for stored, row in changed if _columns(stored) != _columns(row))]
    if not rows:
        return
    await database.execute(
        connection,
        """INSERT INTO search_texts (account_id, instance_id, text)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
           ON CONFLICT (account_id, instance_id) DO UPDATE SET text = excluded.text
           WHERE search_texts.text <> excluded.text""",
        *sql.transpose(
            [(row.account_id, row.id, search_text.build_search_text(row.id, *_columns(row))) for row in rows],
            3,
        ),
    )


def _columns(row: InstanceRow) -> tuple[str, str]:
    """Return the columns that form the search text together with the id."""
    return row.name, row.configuration
