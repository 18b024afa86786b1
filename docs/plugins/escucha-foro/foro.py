"""Flarum: what people write in one forum, newest first."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from collectors.bookmark import notes_of
from collectors.online import Json, OnlineSource, list_of, moments_of, object_of
from collectors.plain import plain
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import Checked, Cursor, Page, SourceFacts


class Foro(OnlineSource):
    """Reads every public post; the watch's words choose among them here."""

    facts = SourceFacts(
        name="foro", title="Flarum", query_hint="https://foro.example.com", query_about=Note("The forum's address."),
        needs=Note("Nothing: no key, no cost."), keeps=Note("Posts as long as they exist there."), recheck_days=30,
        blind=Note("Followers, and what strangers cannot read there."), reach=Note("All that the forum has."),
    )

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        base, known = query.text.rstrip("/"), dict[tuple[str, str], Json]()
        if not base.startswith(("https://", "http://")):
            raise Refused("{query} is no forum's address. Write it as https://foro.example.com.", query=query.text)

        def ask(place: Place) -> Stretch:
            answer = self._get(place.token or f"{base}/api/posts?sort=-createdAt&filter[type]=comment&page[limit]=50")
            posts, named = list_of(answer, "data"), list_of(answer, "included")
            known.update({(one["type"], one["id"]): {"id": one["id"], **one["attributes"]} for one in named})
            times = moments_of(posts, lambda post: datetime.fromisoformat(post["attributes"]["createdAt"]))
            return Stretch(items=posts, times=times, token=object_of(answer, "links").get("next"))

        bounds = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6))
        steps = newest_first(notes_of(query, cursor), ask, bounds, self._clock.now(), query.since, by="number")
        return self._walked(query, steps, lambda post: to_mention(post, base, known), lambda post: str(post)[:40])

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each. A forum that shows nothing at all has shut its doors: that is no deletion."""
        return Checked(gone=frozenset(one.source_id for one in mentions if self._gone(*one.source_id.split("#"))))

    def _gone(self, base: str, number: str) -> bool:
        posts = f"{base}/api/posts"
        return not self._get(posts, {"filter[id]": number})["data"] and bool(self._get(posts)["data"])


def to_mention(post: Json, base: str, known: dict[tuple[str, str], Json]) -> Mention:
    """Map a post. The first of a discussion bears its title; an account that was deleted leaves no author."""
    told, of = post["attributes"], {name: one["data"] for name, one in post["relationships"].items() if one.get("data")}
    topic, user = known["discussions", of["discussion"]["id"]], known.get(("users", of.get("user", {}).get("id")))
    return Mention(
        source="foro", source_id=f"{base}#{post['id']}", text=plain(told["contentHtml"]), raw=post,
        kind="post" if told["number"] == 1 else "comment", title=topic["title"] if told["number"] == 1 else None,
        url=f"{base}/d/{topic['id']}/{told['number']}", created_at=datetime.fromisoformat(told["createdAt"]),
        author=Author(id=f"{base}#{user['id']}", handle=user["username"], name=user["displayName"]) if user else None,
    )
