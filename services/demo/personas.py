"""Invented people: kinds of visitors in believable shares, and the visitors themselves, from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from services.demo import world
from services.demo.world import Firm

Weights = tuple[tuple[str, int], ...]
"""Pages or words with how often they are chosen."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of visitor: what they read, how often they return, what they do in the end."""

    name: str
    share: int
    firms: tuple[Firm, ...] = ()
    titles: Weights = (("", 1),)
    seniority: str = "individual"
    reads: Weights = (("/", 3), ("/blog", 4), ("/product", 2))
    sessions: tuple[int, int] = (1, 1)
    pages: tuple[int, int] = (1, 3)
    days: tuple[int, int] = (0, 1)
    form_name: str | None = None
    mails_opened: float = 0.0
    webinar: float = 0.0
    ends_with: Weights = (("", 1),)
    bot: bool = False


KINDS: tuple[Kind, ...] = (
    Kind("passer_by", share=30),
    Kind(
        "tyre_kicker",
        share=18,
        titles=(("Marketing Assistant", 2), ("Consultant", 2), ("Founder", 1)),
        reads=(("/", 1), ("/blog", 6), ("/product", 2), ("/pricing", 1)),
        sessions=(2, 5),
        pages=(2, 4),
        days=(5, 30),
        form_name="newsletter",
        mails_opened=0.5,
    ),
    Kind(
        "student",
        share=10,
        firms=world.UNIVERSITIES,
        titles=(("Student", 1),),
        seniority="student",
        reads=(("/blog", 6), ("/product", 1), ("/careers", 2)),
        sessions=(1, 3),
        pages=(3, 6),
        days=(1, 10),
        form_name="whitepaper",
        mails_opened=0.2,
        webinar=0.3,
    ),
    Kind(
        "competitor",
        share=4,
        firms=world.RIVALS,
        titles=(("Product Manager", 2), ("Competitive Intelligence", 1)),
        seniority="manager",
        reads=(("/product", 3), ("/pricing", 4), ("/docs", 3), ("/integrations", 2)),
        sessions=(2, 3),
        pages=(4, 8),
        days=(1, 14),
        form_name="whitepaper",
        ends_with=(("trial_started", 1), ("demo_requested", 1), ("", 1)),
    ),
    Kind(
        "champion",
        share=16,
        firms=world.MID_SIZE,
        titles=(("Head of Marketing Operations", 3), ("RevOps Manager", 3), ("VP Sales", 1)),
        seniority="manager",
        reads=(("/blog", 2), ("/product", 3), ("/integrations", 3), ("/pricing", 2)),
        sessions=(3, 6),
        pages=(3, 6),
        days=(6, 24),
        form_name="whitepaper",
        mails_opened=0.7,
        webinar=0.5,
        ends_with=(("demo_requested", 6), ("trial_started", 3), ("", 2)),
    ),
    Kind(
        "buyer",
        share=10,
        firms=world.ENTERPRISES,
        titles=(("Chief Revenue Officer", 1), ("VP Revenue Operations", 3), ("IT Director", 2)),
        seniority="executive",
        reads=(("/security", 3), ("/customers", 3), ("/pricing", 3), ("/integrations", 2)),
        sessions=(2, 4),
        pages=(3, 5),
        days=(2, 12),
        form_name="roi_calculator",
        mails_opened=0.4,
        webinar=0.3,
        ends_with=(("contact_sales", 4), ("demo_requested", 4), ("", 1)),
    ),
    Kind(
        "customer",
        share=8,
        firms=world.CUSTOMERS,
        titles=(("Sales Operations Analyst", 3), ("Head of Sales", 1)),
        seniority="manager",
        reads=(("/docs", 7), ("/product", 1), ("/pricing", 1)),
        sessions=(2, 5),
        pages=(2, 6),
        days=(7, 35),
        form_name="support",
        mails_opened=0.4,
        webinar=0.2,
    ),
    Kind(
        "crawler",
        share=4,
        reads=(("/blog", 4), ("/docs", 4), ("/product", 1)),
        pages=(20, 40),
        bot=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One visitor. The site learns their e-mail and traits only from a form."""

    kind: Kind
    anonymous_id: str
    browser: str
    email: str
    traits: dict[str, Any]


def people_of(seed: int, count: int) -> list[Person]:
    """`count` people in the shares of their kinds; the same ones for the same seed."""
    random = Random(seed)
    return [
        _person(random, kind)
        for kind, number in zip(KINDS, shares([it.share for it in KINDS], count), strict=True)
        for _ in range(number)
    ]


def shares(weights: Sequence[int], count: int) -> list[int]:
    """`count` split by weight with largest remainders, so that even a few people have a buyer among them."""
    exact = [count * weight / sum(weights) for weight in weights]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: counts[index] - exact[index])
    for index in by_remainder[: count - sum(counts)]:
        counts[index] += 1
    return counts


def choose(random: Random, weights: Weights) -> str:
    """One of the words, by weight."""
    return random.choices([word for word, _ in weights], [weight for _, weight in weights])[0]


def _person(random: Random, kind: Kind) -> Person:
    first, last = random.choice(world.FIRST_NAMES), random.choice(world.LAST_NAMES)
    firm = random.choice(kind.firms) if kind.firms else None
    number = random.randrange(10, 100)
    domain = firm.domain if firm else random.choice(world.FREE_MAIL)
    return Person(
        kind=kind,
        anonymous_id=f"{random.getrandbits(64):016x}",
        browser=random.choice(world.BOTS if kind.bot else world.BROWSERS),
        email=f"{first}.{last}{'' if firm else number}@{domain}".lower(),
        traits=_traits(random, kind, firm, f"{first} {last}"),
    )


def _traits(random: Random, kind: Kind, firm: Firm | None, name: str) -> dict[str, Any]:
    """The traits that a form sends; some forms send a firm's size as text."""
    country = firm.country if firm else random.choice(world.COUNTRIES)
    traits: dict[str, Any] = {
        "name": name,
        "country": country,
        "language": world.LANGUAGES[country],
        "job_title": choose(random, kind.titles),
        "seniority": kind.seniority,
    }
    if firm:
        size: int | str = firm.employees if random.random() < 0.8 else str(firm.employees)
        traits |= {"company": firm.name, "industry": firm.industry, "employees": size}
    if kind.form_name == "newsletter":
        traits["newsletter"] = True
    if kind.firms == world.CUSTOMERS:
        traits["customer"] = True
    return traits
