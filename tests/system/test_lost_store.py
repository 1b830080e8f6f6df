"""What a drop folder has handed over is asked for again when the store that knew of it is lost."""

from pathlib import Path

from tests.system.conftest import Commands
from tests.systems.folder.drop import US, ubl

SETTINGS = f"""
[service]
timezone = "Europe/Amsterdam"
[routes.post.source]
system = "folder"
folder = "inbox"
party_id = "{US}"
[routes.post.target]
system = "journal"
"""


def test_held_and_unreadable_files_are_seen_again_after_the_store_is_lost(connector: Commands, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "connector.toml").write_text(SETTINGS, encoding="utf-8")
    inbox = home / "inbox"
    inbox.mkdir()
    (inbox / "good.xml").write_text(ubl("F-1"), encoding="utf-8")
    (inbox / "held.xml").write_text(ubl("F-2", total="999.00"), encoding="utf-8")
    (inbox / "broken.xml").write_text("<Invoice></Invoice>", encoding="utf-8")
    first = connector.json("sync", "post")["counts"]
    assert (first["exported"], first["held"], first["unreadable"]) == (1, 1, 1)

    for file in home.glob("state.db*"):
        file.unlink()
    stopped = connector("sync", "post", "--json")
    assert stopped.status == 1
    number = next(one["id"] for one in connector.json("issues")["items"] if one["code"] == "STORE_BEHIND")
    assert connector("issues", "confirm", str(number)).status in (0, 1)
    again = connector.json("sync", "post")["counts"]
    assert (again["exported"], again["held"], again["unreadable"]) == (0, 1, 1)
    states = sorted(one["state"] for one in connector.json("documents", "post")["items"])
    assert states == ["exported", "held", "unreadable"]
    books = "".join(file.read_text(encoding="utf-8") for file in (home / "books").glob("2*.beancount"))
    assert books.count('number: "F-1"') == 1

    once_more = connector.json("sync", "post")["counts"]
    assert once_more["exported"] == 0
