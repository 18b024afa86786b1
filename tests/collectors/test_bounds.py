"""What strangers write takes no more time than it is long: no text, page, mail or feed keeps a collector busy."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from collectors.alerts import articles_in
from collectors.dates import read_moment
from collectors.feed import MOST_BROKEN, read_feed
from collectors.github import words_of
from collectors.helpdesk import masked
from collectors.imap import MOST_BYTES, Mail
from collectors.lemmy import unmarked
from collectors.letter import letters, to_mention
from collectors.markup import read_markup
from collectors.plain import plain
from collectors.reply import own_words, own_words_in
from collectors.review import MOST, items_of
from collectors.robots import Robots, read_robots
from collectors.shallow import DEEPEST, MOST_STYLES, shallow
from collectors.typeform import _MAIL
from escucha.errors import SourceError, Unreadable
from escucha.mention import Mention
from escucha.text import MAX_TEXT

SECONDS = 12.0
"""What any of these texts may take on a machine four times as slow as one where all take less than three."""
LONGER, MOST_GROWTH = 4, 6.0
"""What is so many times as long may take so many times the time: what grows with the square takes sixteen times."""
TRIFLE = 0.2
"""Seconds that say nothing about growth."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def filled(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def spent(act: Callable[[], object]) -> float:
    """The processor's seconds for this thread, whatever else it has to do.

    Python's collector rests meanwhile: how often it looks through all that the whole run holds is not the reading's.
    """
    gc.collect()
    gc.disable()
    try:
        begun = time.thread_time()
        with suppress(SourceError, Unreadable):
            act()
        return time.thread_time() - begun
    finally:
        gc.enable()


def grows_in_step(part: Callable[[], object], whole: Callable[[], object]) -> bool:
    """Whether the whole takes little longer for its length than the part: a disturbance does not come three times."""
    return any(
        (longer := spent(whole)) < TRIFLE or longer < min(SECONDS, MOST_GROWTH * spent(part)) for _ in range(3)
    )


def page(body: str) -> object:
    return items_of(read_markup(body.encode(), "text/html", "https://a.example/"), "https://a.example/")


def linked(block: str) -> object:
    return page(f'<script type="application/ld+json">{block}</script>')


def feed(inside: str) -> object:
    body = f"<rss version='2.0'><channel><title>x</title>{inside}</channel></rss>".encode()
    told = read_feed(body, "https://a.example/f", "application/rss+xml")
    return [told.item(entry) for entry in told.entries]


def broken_feed(inside: str) -> object:
    return feed(f"<b>{inside}")


def described(text: str) -> object:
    return feed(f"<item><title>a</title><description>{text}</description></item>")


def mail(head: str, body: str = "x") -> list[Mention | None]:
    sent = Mail(uid=1, received=NOW, body=f"{head}\r\n\r\n{body}".encode()[:MOST_BYTES])
    return [to_mention(letter, "", NOW) for letter in letters(sent)]


def typed(kind: str) -> object:
    return mail(f"From: a@b.example\r\nContent-Type: {kind}")


def nested(depth: int) -> str:
    return "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))


def many(unit: str, size: int) -> str:
    """Units that differ: `#` becomes their number."""
    return "".join(unit.replace("#", str(n)) for n in range(size // (len(unit) + 3)))


TEXTS: dict[str, Callable[[], object]] = {
    "elements in elements": lambda: plain(filled("<div>", 300_000)),
    "elements in elements, on a page": lambda: page(filled("<div>", 300_000)),
    "links around blocks": lambda: plain(filled("<a><div>", 300_000)),
    "styles that differ": lambda: plain(many("<font a=#><p>x", 60_000)),
    "ends of paragraphs in styles": lambda: plain(filled("<b><i></p>", 100_000)),
    "a tag of many attributes": lambda: plain(f"<p {many(' a#', 200_000)}>x"),
    "a page of many attributes": lambda: page(f"<p {many(' a#', 200_000)}>x"),
    "roots with attributes": lambda: plain(many("<html a#>", 100_000)),
    "properties in properties": lambda: page("<div itemscope itemtype=Review>" + filled("<div itemprop=a>", 200_000)),
    "blanks in a block": lambda: linked(" " * 100_000 + "x"),
    "blanks behind a comment": lambda: linked("{}-->" + " " * 100_000 + "x"),
    "quotes without an end": lambda: linked('{,"' + '\\"' * 50_000 + "\\"),
    "a long name of many reviews": lambda: linked(json.dumps(
        {"@type": "Product", "name": "a" * 200_000, "review": [{"@type": "Review", "a": 1}] * 4_000})),
    "a long author of many reviews": lambda: linked(json.dumps(
        [{"@id": "x", "name": "a&amp;" * 100_000}] + [{"@type": "Review", "author": {"@id": "x"}}] * 6_000)),
    "quotes in a mail": lambda: own_words(filled("1 wrote:\n>\n", 500_000)),
    "quotes in quotes": lambda: own_words_in(filled("<blockquote>", 250_000)),
    "brackets": lambda: unmarked("[" * 60_000),
    "links without an end": lambda: unmarked(filled("[a](", 100_000)),
    "stars": lambda: unmarked(filled("**a ", 60_000)),
    "backticks": lambda: unmarked("`" * 6_000),
    "remarks without an end": lambda: words_of(filled("<!--", 60_000)),
    "addresses without a host": lambda: masked("a" * 500_000),
    "names of robots": lambda: read_robots((filled("user-agent: a\n", 80_000) + filled("allow: /\n", 80_000)).encode()),
    "parameters of a mail": lambda: typed("text/plain" + filled(";a=b", 100_000)),
    "numbered parameters": lambda: typed("text/plain; " + many("a*#=b;", 120_000)),
    "folded parameters": lambda: typed("text/plain" + filled(";\r\n a=b", 100_000)),
    "words in a subject": lambda: mail("From: a@b.example\r\nSubject: " + filled("=?utf-8?q?a?= ", 250_000)),
    "parts in parts": lambda: mail("From: a@b.example\r\n" + nested(300), "\n" * 240_000),
    "parts beside parts": lambda: mail(
        "Content-Type: multipart/mixed; boundary=b", filled("--b\r\n\r\nx\r\n", 250_000)),
    "an alert of one line": lambda: articles_in("", "a" * 120_000 + "\n"),
    "an alert of one address": lambda: articles_in("", "a\n" + filled("<https://www.google.com/url?", 120_000)),
    "an answer that is no address": lambda: _MAIL.search("a" * 60_000),
    "a date": lambda: read_moment("2026 " + filled("1.", 300_000), UTC),
    "remarks in a feed": lambda: described(filled("&lt;!--", 400_000)),
    "links in a feed": lambda: described(filled("&lt;a href='x'>", 1_000_000)),
    "entries in entries": lambda: broken_feed(filled("<item>", 500_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_takes_no_more_than_its_length(name: str) -> None:
    assert spent(TEXTS[name]) < SECONDS


READINGS: dict[str, tuple[Callable[[str], object], int]] = {
    "plain": (plain, 250_000), "page": (page, 250_000), "mail": (own_words_in, 250_000),
    "feed": (broken_feed, MOST_BROKEN // LONGER),
}  # fmt: skip


@pytest.mark.parametrize("unit", ["<div>", "<p>x", "<", "<a \"", "&"])
@pytest.mark.parametrize("way", READINGS)
def test_four_times_as_much_of_anything_takes_about_four_times_as_long(way: str, unit: str) -> None:
    read, length = READINGS[way]
    part, whole = filled(unit, length), filled(unit, LONGER * length)
    assert grows_in_step(lambda: read(part), lambda: read(whole))


def test_what_grows_with_the_square_of_its_length_is_found_out() -> None:
    def squared(length: int) -> Callable[[], object]:
        return lambda: [min(range(length)) for _ in range(length)]

    assert not grows_in_step(squared(1_000), squared(1_000 * LONGER))
    assert grows_in_step(lambda: sum(range(2_000_000)), lambda: sum(range(2_000_000 * LONGER)))


# What the bounds leave


def test_a_page_within_the_bounds_stays_as_it_is() -> None:
    item = '<li><a href="/1">Café <b>Lumbre</b></a><p>uno<p>dos<br></li>'
    ordinary = f"<html lang=es><body><ul>{item * 500}</ul>"
    deep = "<div>" * DEEPEST + "x" + "</div>" * DEEPEST + "<!-- <div> -->" * 500
    script = '<script>"<div><b>"</script>' * 1000
    for text in (ordinary, deep, script, "x < y " * 1000, '<p title="a > b">' * 500):
        assert shallow(text) == text


def test_what_lies_too_deep_loses_its_tags_and_no_word() -> None:
    begun, ended = "<div>" * (DEEPEST + 300) + "<b>" * (MOST_STYLES + 5), "</b>" * 400 + "</div>" * 900
    text = f"{begun}hondo{ended}<i>fin</i>"
    kept = shallow(text)
    assert (kept.count("<div>"), kept.count("<b>")) == (DEEPEST, MOST_STYLES)
    assert plain(text).split() == ["hondo", "fin"]
    many_attributes = "<p " + many(" a#", 3000) + " class=x>palabra"
    assert shallow(many_attributes) == "<p>palabra"


def test_markdown_loses_its_pairs_of_marks_and_keeps_the_rest() -> None:
    assert unmarked("El **café** de __Lumbre__, ~~caro~~ `rico`") == "El café de Lumbre, caro rico"
    assert unmarked("2 ** 3 y **a __b__**, snake_case, ** suelto") == "2 ** 3 y a b, snake_case, ** suelto"
    assert unmarked('[una](https://a.example "título") ![foto](x.png) [sin] (nada)') == "una foto [sin] (nada)"
    assert unmarked("**__uno__** **** `` `a`b") == "uno **** `` ab"
    assert unmarked("**uno\ndos**") == "**uno\ndos**"


def test_remarks_go_and_what_is_no_remark_stays() -> None:
    assert words_of("antes <!-- no\nse ve --> después <!-- sin fin") == "antes  después <!-- sin fin"


@pytest.mark.parametrize("block", [
    '<!--\n{"@type":"Review","name":"x"}\n-->', '//<![CDATA[\n{"@type":"Review","name":"x"}\n//]]>',
    '/*<![CDATA[*/ {"@type":"Review","name":"x"} /*]]>*/', '  {"@type":"Review","name":"x"}  ',
])  # fmt: skip
def test_a_block_in_a_wrapping_of_old_is_read(block: str) -> None:
    assert linked(block)


def test_reviews_point_to_their_author_and_product_by_name() -> None:
    found = linked(json.dumps([
        {"@id": "p", "@type": "Product", "name": "Café Lumbre", "description": "x" * 5_000},
        {"@id": "a", "@type": "Person", "name": "Ana", "image": {"url": "x"}},
        {"@type": "Review", "reviewBody": "Rico", "author": {"@id": "a"}, "itemReviewed": {"@id": "p"}},
    ]))
    assert [(one["review"]["author"]["name"], one["about"]) for one in found] == [("Ana", "Café Lumbre")]  # type: ignore[attr-defined]
    assert len(linked(json.dumps([{"@type": "Review", "name": "x"}] * (MOST + 5)))) == MOST  # type: ignore[arg-type]


def test_a_property_is_no_longer_than_a_text_may_be() -> None:
    (item,) = page(f"<div itemscope itemtype=Review><p itemprop=reviewBody>{'a' * 300_000}</p></div>")  # type: ignore[misc]
    assert len(item["review"]["reviewBody"]) == MAX_TEXT + 1


def test_the_rules_for_us_are_found_among_those_of_many() -> None:
    text = b"User-agent: a\nUser-agent: Escucha/1.0\nUser-agent: *\nDisallow: /x\n\nUser-agent: *\nDisallow: /y\n"
    robots = read_robots(text)
    assert (robots.allows("https://a.example/x"), robots.allows("https://a.example/y")) == (False, True)
    assert read_robots(b"User-agent: escucha\n\nUser-agent: *\nDisallow: /\n") == Robots(rules=((False, "/"),))
    assert read_robots(b"User-agent: escucha\nDisallow:\n\nUser-agent: *\nDisallow: /\n") == Robots()


def test_a_mail_that_only_an_attack_looks_like_is_refused_alone() -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        mail("From: a@b.example\r\n" + nested(300), "\n" * 240_000)
    (mention,) = mail("From: " + "(" * 50_000, "El café de Lumbre")
    assert mention is not None
    assert (mention.text, mention.author) == ("El café de Lumbre", None)


def test_a_long_header_that_is_folded_leaves_the_words_as_they_are() -> None:
    head = "From: Ana <ana@b.example>\r\nContent-Type: text/plain; charset=utf-8" + ";\r\n x=y" * 2_000
    (mention,) = mail(head, "Café Lumbre\r\ncontent-type: así se escribe")
    assert mention is not None
    assert mention.text == "Café Lumbre\ncontent-type: así se escribe"


def test_of_a_long_feed_that_is_broken_the_newest_entries_come_whole() -> None:
    entry = "<item><title>Nota #</title><description>" + "café " * 200 + "fin</description></item>"
    found = feed(many(entry, 3 * MOST_BROKEN) + "<b>")
    assert len(found) > 100  # type: ignore[arg-type]
    assert all(item.text.endswith("fin") for item in found)  # type: ignore[attr-defined]
    assert found[0].title == "Nota 0"  # type: ignore[index]
