"""The first layout. SQL that SQLite and PostgreSQL both take, but for the key that counts up by itself."""

from typing import Final

STATEMENTS: Final[tuple[str, ...]] = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE pair (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, company TEXT NOT NULL, digest TEXT NOT NULL UNIQUE)""",
    """CREATE TABLE document (
        id INTEGER PRIMARY KEY,
        pair INTEGER NOT NULL, kind TEXT NOT NULL, made_from TEXT NOT NULL, key TEXT NOT NULL,
        number TEXT NOT NULL, date TEXT, party_key TEXT NOT NULL, currency TEXT NOT NULL, total INTEGER NOT NULL,
        state TEXT NOT NULL, status_code TEXT NOT NULL, run INTEGER NOT NULL,
        fingerprint BLOB NOT NULL, remote_id TEXT NOT NULL, generation INTEGER NOT NULL, flags INTEGER NOT NULL,
        booked_total INTEGER, changed REAL NOT NULL)""",
    "CREATE UNIQUE INDEX document_unit ON document (pair, kind, key, made_from)",
    "CREATE INDEX document_number ON document (pair, kind, number) WHERE number <> '' AND state <> 'marked'",
    """CREATE INDEX document_open ON document (pair, state)
        WHERE state NOT IN ('exported', 'marked', 'ignored', 'undone', 'gone')""",
    "CREATE INDEX document_flag ON document (pair, id) WHERE flags & 3 <> 0",
    "CREATE TABLE body (document INTEGER PRIMARY KEY, content TEXT, newer TEXT, problems TEXT)",
    """CREATE TABLE tally (
        pair INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (pair, kind, state))""",
    """CREATE TABLE intent (
        id INTEGER PRIMARY KEY, pair INTEGER NOT NULL, route TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL,
        idempotency_key TEXT NOT NULL, body BLOB NOT NULL, members TEXT NOT NULL, tickets TEXT NOT NULL,
        created TEXT NOT NULL, last_sent TEXT NOT NULL, is_open INTEGER NOT NULL)""",
    "CREATE INDEX intent_open ON intent (pair, id) WHERE is_open = 1",
    "CREATE TABLE intent_member (document INTEGER PRIMARY KEY, intent INTEGER NOT NULL)",
    "CREATE TABLE event (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL, hash TEXT NOT NULL)",
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY, route TEXT NOT NULL, mode TEXT NOT NULL, dry_run INTEGER NOT NULL, first TEXT,
        last TEXT, started TEXT NOT NULL, ended TEXT, exit INTEGER, counts TEXT NOT NULL, totals TEXT NOT NULL,
        message TEXT NOT NULL)""",
    "CREATE INDEX run_route ON run (route, id)",
    """CREATE TABLE run_item (
        run INTEGER NOT NULL, document INTEGER NOT NULL, state TEXT NOT NULL, status_code TEXT NOT NULL,
        total INTEGER NOT NULL, PRIMARY KEY (run, document)) WITHOUT ROWID""",
    """CREATE TABLE run_bulk (
        run INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, totals TEXT NOT NULL)""",
    """CREATE TABLE issue (
        id INTEGER PRIMARY KEY, route TEXT NOT NULL, code TEXT NOT NULL, key TEXT NOT NULL, what TEXT NOT NULL,
        why TEXT NOT NULL, fix TEXT NOT NULL, confirmable INTEGER NOT NULL, n INTEGER NOT NULL, opened TEXT NOT NULL,
        closed TEXT)""",
    "CREATE UNIQUE INDEX issue_open ON issue (route, code, key) WHERE closed IS NULL",
    """CREATE TABLE route (
        name TEXT PRIMARY KEY, pair INTEGER NOT NULL, source TEXT NOT NULL, company TEXT NOT NULL,
        made_from TEXT NOT NULL, begin TEXT, cursors TEXT NOT NULL, probes TEXT NOT NULL, accepted TEXT NOT NULL,
        ask_first INTEGER NOT NULL, stopped INTEGER NOT NULL)""",
    """CREATE TABLE link (
        pair INTEGER NOT NULL, kind TEXT NOT NULL, source_key TEXT NOT NULL, target_id TEXT NOT NULL,
        source_name TEXT NOT NULL, target_name TEXT NOT NULL, by_person INTEGER NOT NULL,
        PRIMARY KEY (pair, kind, source_key))""",
    """CREATE TABLE reference (
        company TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
        active INTEGER NOT NULL, changed TEXT, details TEXT NOT NULL, PRIMARY KEY (company, kind, id))""",
    """CREATE TABLE reference_pull (
        company TEXT NOT NULL, kind TEXT NOT NULL, pulled TEXT, seconds REAL NOT NULL, n INTEGER NOT NULL,
        fault TEXT NOT NULL, PRIMARY KEY (company, kind))""",
)
