"""The findings of an examination."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Findings:
    """Breaches of the promise, a line for each; and how much waits in the queue."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        kinds = {"lost": self.lost, "doubled": self.doubled, "wrong": self.wrong}
        return "\n".join(f"{kind}: {line}" for kind, lines in kinds.items() for line in lines)

    def add(self, other: "Findings") -> None:
        """Takes over what another examination found and this one has not."""
        for mine, theirs in (
            (self.lost, other.lost),
            (self.doubled, other.doubled),
            (self.wrong, other.wrong),
            (self.queued, other.queued),
        ):
            mine += [line for line in theirs if line not in mine]
