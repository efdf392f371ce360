"""Who is expected in a class, and who has taken a seat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from brihaspati import ports
from brihaspati.domain import rosters
from brihaspati.domain.classrooms import same_name
from brihaspati.domain.rosters import Attending, Expected, Seated
from brihaspati.engine.paging import every
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

# So many people are one item: a whole list is few writes, and so one transaction.
PAGE = 100
SEATS, WANTED = "seat#", "want#"
PAGES_MAX = rosters.PEOPLE_MAX // PAGE


class Rosters:
    """Seats are taken one by one; the list of who is expected is replaced as a whole."""

    def __init__(self, world: World) -> None:
        self.world = world

    def seats(self, class_id: str) -> list[Item]:
        """The taken seats, in seat order: user, name, email, joined_at in their bodies."""
        store = self.world.store
        return list(every(lambda cursor: store.query(f"k#{class_id}", SEATS, cursor=cursor)))

    def expected(self, class_id: str) -> tuple[Expected, ...]:
        """Who is expected, in the order of the list."""
        return _expected(self.world.store.query(f"k#{class_id}", WANTED).items)

    def is_expected(self, class_id: str, name: str) -> bool:
        """Whether somebody of this name is on the list."""
        wanted = same_name(name)
        return any(same_name(person.name) == wanted for person in self.expected(class_id))

    def expect(self, class_id: str, people: Sequence[Expected]) -> None:
        """Replace the list, all or nothing. Who has joined keeps their seat."""
        writes: list[ports.Write] = []
        for number in range(PAGES_MAX):
            key = Key(f"k#{class_id}", f"want#{number:02d}")
            page = people[number * PAGE : (number + 1) * PAGE]
            body = {"people": [[person.name, person.email] for person in page]}
            writes.append(ports.Put(key, body) if page else ports.Delete(key))
        self.world.store.transact(writes)

    def attending(self, class_id: str) -> tuple[Attending, ...]:
        """Everybody expected or here, by name."""
        wanted = self.world.store.query(f"k#{class_id}", WANTED).items
        return attending((*self.seats(class_id), *wanted))


def attending(items: Iterable[Item]) -> tuple[Attending, ...]:
    """Everybody expected or here, by name, as the items of a class tell."""
    seats, wanted = [], []
    for item in items:
        if item.key.sort.startswith(SEATS):
            seats.append(Seated(**item.body))
        elif item.key.sort.startswith(WANTED):
            wanted.append(item)
    return rosters.together(_expected(wanted), seats)


def _expected(pages: Iterable[Item]) -> tuple[Expected, ...]:
    return tuple(Expected(name, email) for page in pages for name, email in page.body["people"])
