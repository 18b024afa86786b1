"""What reading X costs, and how many posts a run may still pay for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from collectors.online import list_of
from collectors.x_post import users_of
from escucha.errors import TryLater

POST = 0.005
OWN_POST = 0.001
USER = 0.010
COUNT = 0.005
"""US dollars: a post, a post that mentions the account which owns the app, a user, a request for a count."""
FEWEST, MOST = 10, 100
"""Posts that one request can be made for."""


@dataclass(kw_only=True)
class Bill:
    """A run's bill: an upper bound, as X charges what it has sent before only once in a day (UTC).

    Within the run nothing is counted twice; what earlier runs of the day have read is, as it is not known here.
    """

    post: float = POST
    left: int | None = None
    due: float = 0.0
    posts: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)

    def size(self, now: datetime, besides: int = 0) -> int:
        """How many posts the next request may ask for, where `besides` other things are to be paid first.

        Raises:
            TryLater: the budget allows fewer than a request gives at the least.
        """
        if self.left is not None and self.left - besides < FEWEST:
            raise TryLater(
                "The budget for X allows {left} more posts, and X gives ten at the least. The watch goes on next "
                "month, or at once if you raise the budget.",
                after=(_next_month(now) - now).total_seconds(), left=self.left,
            )
        return MOST if self.left is None else min(self.left, MOST)

    def charge(self, answer: Mapping[str, Any]) -> None:
        """Note an answer's posts and users."""
        posts = list_of(answer, "data")
        told = {str(post.get("id")) for post in posts if isinstance(post, Mapping)} - self.posts
        users = {str(user["id"]) for user in users_of(answer)} - self.users
        self.due += len(told) * self.post + len(users) * USER
        self.posts |= told
        self.users |= users
        self._took(len(posts))

    def charge_user(self) -> None:
        """Note that one user was looked up, which takes the place of one post."""
        self.due += USER
        self._took(1)

    def _took(self, items: int) -> None:
        self.left = None if self.left is None else max(0, self.left - items)

    def settle(self) -> float:
        """What has been added since it was last asked for."""
        due, self.due = self.due, 0.0
        return due


def _next_month(now: datetime) -> datetime:
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.replace(year=now.year + now.month // 12, month=now.month % 12 + 1)
