"""A client's tracking product: prospects with tags, scores and pages, as they change."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline_tests.flows.engagement import warehouse

ADDRESSES = tuple(f"{name}@x.example" for name in "abcdef")
NAMES = tuple(f"p{number}" for number in range(1, 7))
TAGS, SCORES = ("t1", "t2", "t3"), ("s1", "s2")


@dataclass(slots=True)
class Product:
    """One client's product. The caller chooses by `pick`, as in `Traffic`.

    Whatever changes of a prospect, its temperature becomes a number that it never had before: so
    it is plain which one changed last, however often it was read in between.

    Attributes:
        client: whose.
        order: of prospects, the one that changed last at the end.
    """

    client: str
    order: list[str] = field(default_factory=lambda: list(NAMES[:2]))
    _number: int = 1_000

    def begin(self, rows: Connection) -> None:
        """Defines tags and scores, and has two prospects, with which each product goes on."""
        self.order.clear()
        self._number = 0
        for tag in TAGS:
            self._ship(rows, "tag_definition", ("tag_id",), tag_id=tag, name=tag.title())
        for score in SCORES:
            self._ship(rows, "score_definition", ("score_id",), score_id=score, name=score.title())
        for pick in (0, 1):
            self.comes(rows, pick)

    def comes(self, rows: Connection, pick: int) -> None:
        """A prospect is new, or comes again with an address, perhaps that of another, or none."""
        email = (*ADDRESSES, None)[(pick // 6) % 7]
        self._changes(rows, NAMES[pick % 6], email=email, favorite=bool(pick % 2))

    def is_tagged(self, rows: Connection, pick: int) -> None:
        """A prospect has a tag, or has it once more."""
        if name := self._one(pick):
            said = {"prospect_id": name, "tag_id": TAGS[pick % 3], "times": 1 + pick % 9}
            self._ship(rows, "prospect_tag", ("prospect_id", "tag_id"), **said)
            self._changes(rows, name)

    def is_scored(self, rows: Connection, pick: int) -> None:
        """A prospect has a score, or another value of it, or none."""
        if name := self._one(pick):
            value = None if pick % 7 == 0 else pick / 4
            said = {"prospect_id": name, "score_id": SCORES[pick % 2], "value": value}
            said["grade"] = "ABC"[pick % 3]
            self._ship(rows, "prospect_score", ("prospect_id", "score_id"), **said)
            self._changes(rows, name)

    def visits(self, rows: Connection, pick: int) -> None:
        """A prospect visits some pages."""
        if name := self._one(pick):
            for place in range(1 + pick % 3):
                self._number += 1
                said = {"page_id": f"v{self._number}", "prospect_id": name}
                self._ship(rows, "prospect_page", ("page_id",), title=f"Page {place}", **said)
            self._changes(rows, name)

    def loses(self, rows: Connection, pick: int) -> None:
        """A prospect has a tag, a score, or its pages, no more."""
        if name := self._one(pick):
            table = ("prospect_tag", "prospect_score", "prospect_page")[pick % 3]
            rows.execute(
                text(f"DELETE FROM warehouse.{table} WHERE client_id = :c AND prospect_id = :p"),
                {"c": self.client, "p": name},
            )
            self._changes(rows, name)

    def ends(self, rows: Connection, pick: int) -> None:
        """A prospect is merged or deleted, or is active again."""
        if name := self._one(pick):
            self._changes(rows, name, life_cycle=("Merged", "Deleted", "Active")[pick % 3])

    def vanishes(self, rows: Connection, pick: int) -> str | None:
        """A prospect is not there any more; returns which."""
        if name := self._one(pick):
            for table in ("prospect", "prospect_tag", "prospect_score", "prospect_page"):
                where = {"client_id": self.client, "prospect_id": name}
                warehouse.take_away(rows, table, **where)
            self.order.remove(name)
        return name

    def renames(self, rows: Connection, pick: int) -> None:
        """A tag or a score is called otherwise, or is defined again."""
        self._number += 1
        kind, ids = (("tag", TAGS), ("score", SCORES))[pick % 2]
        said = {f"{kind}_id": ids[pick % len(ids)], "name": f"Name {self._number}"}
        self._ship(rows, f"{kind}_definition", (f"{kind}_id",), **said)

    def withdraws(self, rows: Connection, pick: int) -> None:
        """A tag or a score is not defined any more; prospects still have it."""
        kind, ids = (("tag", TAGS), ("score", SCORES))[pick % 2]
        where = {"client_id": self.client, f"{kind}_id": ids[pick % len(ids)]}
        warehouse.take_away(rows, f"{kind}_definition", **where)

    def _one(self, pick: int) -> str | None:
        return sorted(self.order)[pick % len(self.order)] if self.order else None

    def _changes(self, rows: Connection, name: str, **columns: Any) -> None:
        self._number += 1
        if name in self.order:
            self.order.remove(name)
        elif "email" not in columns:
            return
        else:
            columns = {"life_cycle": "Active", **columns}
        self.order.append(name)
        said = {"prospect_id": name, "temperature": self._number, **columns}
        self._ship(rows, "prospect", ("prospect_id",), **said)

    def _ship(self, rows: Connection, table: str, key: tuple[str, ...], **columns: Any) -> None:
        warehouse.ship(rows, table, key, client_id=self.client, **columns)
