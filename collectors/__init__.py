"""The web: one module per source, each turning what an upstream says into mentions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from escucha.errors import ConfigError, Refused
from escucha.plugins import load, names

if TYPE_CHECKING:
    from collectors.http import WebOptions
    from escucha.source import Asking, Source, SourceFacts

log = logging.getLogger(__name__)

GROUP = "escucha.sources"
ACCEPTED = "accepted"
"""The key that says that a person accepted the terms of a source that is off by default."""
SOURCES = {
    "app-store": "collectors.app_store:AppStoreSource",
    "app-store-connect": "collectors.app_store_connect:AppStoreConnectSource",
    "bluesky": "collectors.bluesky:BlueskySource",
    "discourse": "collectors.discourse:DiscourseSource",
    "facebook": "collectors.facebook:FacebookSource",
    "file": "collectors.file:FileSource",
    "freshdesk": "collectors.freshdesk:FreshdeskSource",
    "gdelt": "collectors.gdelt:GdeltSource",
    "github": "collectors.github:GitHubSource",
    "google-business": "collectors.google_business:GoogleBusinessSource",
    "google-news": "collectors.google_news:GoogleNewsSource",
    "google-play": "collectors.google_play:GooglePlaySource",
    "google-play-public": "collectors.google_play_public:GooglePlayPublicSource",
    "hackernews": "collectors.hackernews:HackerNewsSource",
    "instagram": "collectors.instagram:InstagramSource",
    "intercom": "collectors.intercom:IntercomSource",
    "lemmy": "collectors.lemmy:LemmySource",
    "mailbox": "collectors.mailbox:MailboxSource",
    "mastodon": "collectors.mastodon:MastodonSource",
    "mercadolibre": "collectors.mercadolibre:MercadoLibreSource",
    "reddit": "collectors.reddit:RedditSource",
    "rss": "collectors.rss:RssSource",
    "schema-org": "collectors.schema_org:SchemaOrgSource",
    "stackexchange": "collectors.stackexchange:StackExchangeSource",
    "telegram": "collectors.telegram:TelegramSource",
    "threads": "collectors.threads:ThreadsSource",
    "trustpilot": "collectors.trustpilot:TrustpilotSource",
    "webhook": "collectors.webhook:WebhookSource",
    "x": "collectors.x:XSource",
    "youtube": "collectors.youtube:YouTubeSource",
    "zendesk": "collectors.zendesk:ZendeskSource",
}


def open_source(name: str, web: WebOptions, keys: Mapping[str, str]) -> Source:
    """The source of that name, ready to be asked for pages.

    Raises:
        NotFound: there is none of that name; those that exist are named.
        Refused: its terms were not accepted (the key `accepted`).

    Every source, plug-ins included, is built as `cls(web=…, keys=…)`; both are picklable, so that a run can be
    described on one machine and done on another.
    """
    kind = load(GROUP, SOURCES, name)
    if kind.facts.terms is not None and not keys.get(ACCEPTED):
        raise Refused(
            "{source} is off until somebody accepts its terms. Read them on the page Sources and switch it on there.",
            source=kind.facts.title or name,
        )
    source: Source = kind(web=web, keys=keys)
    return source


def facts(name: str) -> SourceFacts:
    """What the source of that name declares about itself, without building it."""
    declared: SourceFacts = load(GROUP, SOURCES, name).facts
    return declared


def asking(name: str, text: str) -> Asking | None:
    """What a watch with this text asks of a source; None where the text is an address or a name, or it does not search.

    Raises:
        Invalid: the query cannot be read, asked or checked there; it says where and what to change.
    """
    from escucha.source import Searches

    kind = load(GROUP, SOURCES, name)
    return kind.asking(text) if isinstance(kind, Searches) else None


def known() -> tuple[SourceFacts, ...]:
    """What all sources declare, in order; a package that cannot be loaded hides the others not."""
    found = []
    for name in source_names():
        try:
            found.append(facts(name))
        except ConfigError as error:
            log.warning("%s", error)
    return tuple(found)


def source_names() -> tuple[str, ...]:
    """The names of all sources, built in and installed, in order."""
    return tuple(sorted(names(GROUP, SOURCES)))
