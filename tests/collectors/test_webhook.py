"""What is sent to a hook: whose it is, what it holds, and what is said about the rest."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.mapping import read_mapping
from collectors.signature import verify
from collectors.webhook import MAX_BODY, MAX_DEPTH, MAX_ITEMS, WebhookSource, read_shape
from escucha.brand import Query
from escucha.errors import ConfigError, Invalid, Refused
from escucha.source import Delivery, Page, Receives
from tests.collectors.fakes import NOW, SECRET, WEB
from tests.collectors.fakes.webhook import delivery, handmade, hmac_of

MINUTE = timedelta(minutes=1)


def send(body: Any, text: str = "generic", terms: tuple[str, ...] = (), zone: str = "", **how: Any) -> Page:
    source = WebhookSource(web=WEB, keys={"secret": SECRET, "timezone": zone})
    return source.receive(Query(text=text, terms=terms), delivery(body, **how))


def signed(headers: dict[str, str], body: bytes = b"{}", at: datetime = NOW) -> Delivery:
    return Delivery(headers=headers, body=body, at=at)


# Whose it is


def test_the_example_of_standard_webhooks_is_accepted() -> None:
    stamp = 1614265330
    sent = signed(
        {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": str(stamp),
         "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        b'{"test": 2432232314}', datetime.fromtimestamp(stamp, UTC),
    )
    verify(sent, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    with pytest.raises(Refused, match="does not fit"):
        verify(sent, ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(b"24 bytes of real secret!").decode()])
def test_any_of_several_signatures_may_fit(secret: str) -> None:
    good = delivery({}, secret)
    other = delivery({}, "another")
    both = f"v1a,abc {other.headers['webhook-signature']} {good.headers['webhook-signature']}"
    verify(signed({**good.headers, "webhook-signature": both}, good.body), [secret])


def test_two_secrets_live_while_the_senders_change_over() -> None:
    keys = {"secret": "nueva", "secret_before": SECRET}
    source = WebhookSource(web=WEB, keys=keys)
    for secret in ("nueva", SECRET):
        assert source.receive(Query(text="generic"), delivery({"text": "Lumbre"}, secret)).mentions
    with pytest.raises(Refused):
        WebhookSource(web=WEB, keys={"secret": "nueva"}).receive(Query(text="generic"), delivery({}, SECRET))


@pytest.mark.parametrize("off", [-6 * MINUTE, 6 * MINUTE])
def test_a_delivery_signed_long_ago_or_ahead_is_refused(off: timedelta) -> None:
    with pytest.raises(Refused, match="5 minutes"):
        verify(delivery({}, signed_at=NOW + off), [SECRET])
    verify(delivery({}, signed_at=NOW + off * 0.8), [SECRET])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_2"), ("webhook-id", ""), ("webhook-timestamp", "1"), ("webhook-timestamp", "-5"),
        ("webhook-signature", ""), ("webhook-signature", "v1,"), ("webhook-signature", "v2,é ñ"),
    ],
)
def test_whatever_is_changed_breaks_the_signature(name: str, value: str) -> None:
    sent = delivery({"text": "Lumbre"})
    with pytest.raises(Refused):
        verify(signed({**sent.headers, name: value}, sent.body), [SECRET])
    with pytest.raises(Refused):
        verify(signed(dict(sent.headers), sent.body + b" "), [SECRET])


def test_a_stamp_that_is_no_number_is_refused_though_it_is_signed() -> None:
    made = hmac_of(SECRET.encode(), b"ayer.", b"{}").hex()
    with pytest.raises(Refused, match="5 minutes"):
        verify(signed({"x-timestamp": "ayer", "x-signature-256": f"sha256={made}"}), [SECRET])


def test_our_own_form_signs_time_and_body() -> None:
    stamp = str(int(NOW.timestamp()))
    made = hmac_of(SECRET.encode(), f"{stamp}.".encode(), b"{}").hex()
    verify(signed({"x-timestamp": stamp, "x-signature-256": f"sha256={made}"}), [SECRET])
    late = NOW + 6 * MINUTE
    with pytest.raises(Refused, match="5 minutes"):
        verify(signed({"x-timestamp": stamp, "x-signature-256": f"sha256={made}"}, at=late), [SECRET])
    with pytest.raises(Refused, match="does not fit"):
        verify(signed({"x-signature-256": f"sha256={made}"}), [SECRET])


def test_github_and_meta_sign_the_body_in_hexadecimal() -> None:
    # The example of GitHub's documentation.
    sent = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    verify(signed(sent, b"Hello, World!"), ["It's a Secret to Everybody"])
    with pytest.raises(Refused):
        verify(signed(sent, b"Hello, World?"), ["It's a Secret to Everybody"])


def test_a_bearer_token_is_accepted_where_nothing_is_signed() -> None:
    verify(signed({"authorization": f"Bearer {SECRET}"}), [SECRET])
    for wrong in (f"Basic {SECRET}", "Bearer", f"Bearer {SECRET}x", ""):
        with pytest.raises(Refused):
            verify(signed({"authorization": wrong}), [SECRET])


def test_a_wrong_signature_is_not_made_good_by_a_token() -> None:
    with pytest.raises(Refused):
        verify(signed({"authorization": f"Bearer {SECRET}", "x-hub-signature-256": "sha256=00"}), [SECRET])


def test_a_hook_without_a_secret_takes_nothing() -> None:
    with pytest.raises(Refused, match="no secret"):
        verify(signed({"authorization": "Bearer "}), ["", ""])


def test_an_unsigned_delivery_is_refused() -> None:
    with pytest.raises(Refused, match="not signed"):
        verify(signed({"content-type": "application/json"}), [SECRET])


# What it holds


def test_every_field_of_a_mention_is_read() -> None:
    item = {
        "source_id": "r-1", "text": " Llegó frío ", "title": "Mi pedido", "created_at": "2026-11-20T10:00:00-06:00",
        "edited_at": "2026-11-20T11:00:00Z", "kind": "review", "lang": "es_MX", "url": "https://tienda.example/r/1",
        "rating": 2, "parent_id": 7, "place": "Puebla", "folio": "A-1",
        "author": {"id": 88, "handle": "@ana", "name": "Ana", "url": "https://tienda.example/ana", "followers": 320,
                   "verified": True},
        "engagement": {"likes": 3, "comments": "1,200", "shares": 0, "views": 10.0},
    }  # fmt: skip
    (mention,) = send(item).mentions
    assert (mention.source, mention.source_id, mention.kind) == ("webhook", "r-1", "review")
    assert (mention.text, mention.title, mention.lang) == ("Llegó frío", "Mi pedido", "es-mx")
    assert mention.created_at == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert mention.edited_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert (mention.rating, mention.parent_id, mention.place) == (2, "7", "Puebla")
    author, engagement = mention.author, mention.engagement
    assert author is not None
    assert (author.id, author.handle, author.name) == ("88", "@ana", "Ana")
    assert (author.followers, author.verified) == (320, True)
    assert (engagement.likes, engagement.comments, engagement.shares, engagement.views) == (3, 1200, 0, 10)
    assert mention.raw is not None
    assert mention.raw["folio"] == "A-1"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text": "Lumbre", "source_id": "1"}', "application/json"),
        (b'\xef\xbb\xbf[{"text": "Lumbre", "source_id": "1"}]', "application/json; charset=utf-8"),
        (b'{"mentions": [{"text": "Lumbre", "source_id": "1"}]}', "application/vnd.tienda+json"),
        (b'{"text": "Lumbre", "source_id": "1"}\r\n\n', "application/x-ndjson"),
    ],
)
def test_an_object_a_list_and_lines_hold_the_same(body: bytes, kind: str) -> None:
    assert [m.source_id for m in send(body, content_type=kind).mentions] == ["1"]


def test_names_may_be_flat_and_an_author_a_bare_name() -> None:
    items = [{"text": "a", "author.name": "Ana", "engagement.likes": 2}, {"text": "b", "author": "Ana"}]
    flat, bare = send(items).mentions
    assert flat.author == bare.author
    assert flat.author is not None
    assert (flat.author.name, flat.author.followers) == ("Ana", None)
    assert flat.engagement.likes == 2


def test_what_is_missing_stays_unknown() -> None:
    (mention,) = send({"text": "Lumbre"}).mentions
    assert (mention.created_at, mention.kind, mention.author, mention.rating) == (NOW, "message", None, None)
    assert mention.engagement.total is None


@pytest.mark.parametrize(("zone", "hour"), [("", 10), ("America/Mexico_City", 16)])
def test_a_time_without_a_zone_is_in_the_zone_of_the_settings(zone: str, hour: int) -> None:
    (mention,) = send({"text": "Lumbre", "created_at": "2026-11-20 10:00"}, zone=zone).mentions
    assert mention.created_at == datetime(2026, 11, 20, hour, tzinfo=UTC)


def test_a_delivery_that_comes_again_gives_the_same_ids() -> None:
    first = send([{"text": "Sí"}, {"text": "Sí"}])
    again = send([{"text": "Sí"}, {"text": "Sí"}], at=NOW + MINUTE)
    assert len(first.mentions) == 2
    assert [m.source_id for m in again.mentions] == [m.source_id for m in first.mentions]
    assert not {m.source_id for m in send([{"text": "Sí"}], identity="msg_2").mentions} & {
        m.source_id for m in first.mentions
    }


def test_without_any_number_the_words_their_author_and_date_tell_items_apart() -> None:
    def ids(*items: Any) -> list[str]:
        source = WebhookSource(web=WEB, keys={"secret": SECRET})
        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
        page = source.receive(Query(text="generic"), signed(headers, json.dumps(items).encode()))
        return [mention.source_id for mention in page.mentions]

    item = {"text": "Sí", "author": "Ana", "created_at": "2026-11-20"}
    assert ids(item) == ids({**item, "likes": 3})
    others = [{**item, "author": "Eva"}, {**item, "text": "No"}, {**item, "created_at": "2026-11-21"}]
    assert len(set(ids(item, *others))) == 4


def test_hooks_with_a_name_keep_their_ids_apart() -> None:
    (mention,) = send({"text": "a", "source_id": 1, "parent_id": 0}, "generic tienda").mentions
    assert (mention.source_id, mention.parent_id) == ("tienda:1", "tienda:0")
    assert send({"source_id": 1, "deleted": True}, "generic tienda").gone == ("tienda:1",)


def test_a_deletion_is_told_and_the_last_word_counts() -> None:
    page = send([
        {"source_id": "1", "text": "a"}, {"source_id": "1", "deleted": True}, {"source_id": "2", "deleted": "true"},
        {"source_id": "3", "deleted": True}, {"source_id": "3", "text": "vuelve"}, {"deleted": True},
    ])
    assert page.gone == ("1", "2")
    assert [m.source_id for m in page.mentions] == ["3"]
    assert [refusal.why.details["field"] for refusal in page.refusals] == ["source_id"]


def test_what_is_not_about_the_brand_is_counted() -> None:
    page = send([{"text": "Café Lumbre"}, {"text": "otra cosa"}], terms=("lumbre",))
    assert (len(page.mentions), page.passed) == (1, 1)


# What is said about the rest


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"text": {"html": "x"}}, "text"), ({"text": 5}, "text"), ({"text": "x", "rating": 9}, "rating"),
        ({"text": "x", "rating": True}, "rating"), ({"text": "x", "created_at": "ayer"}, "created_at"),
        ({"text": "x", "created_at": {}}, "created_at"), ({"text": "x", "kind": "tuit"}, "kind"),
        ({"text": "x", "source_id": [1]}, "source_id"), ({"text": "x", "author": {"id": True}}, "author.id"),
    ],
)
def test_an_item_is_refused_by_its_number_its_field_and_a_reason(item: Any, field: str) -> None:
    page = send([{"text": "Lumbre"}, item, {"text": "Lumbre"}])
    (refusal,) = page.refusals
    assert (refusal.where, refusal.why.details["field"]) == ("item 2", field)
    assert field in str(refusal.why)
    assert refusal.raw == item
    assert len(page.mentions) == 2


@pytest.mark.parametrize("item", ["hola", 5, None, [], {}, {"text": "  "}, {"text": "x" * 100_001}])
def test_what_is_no_mention_is_refused_alone(item: Any) -> None:
    page = send([{"text": "Lumbre"}, item])
    assert [refusal.where for refusal in page.refusals] == ["item 2"]
    assert len(page.mentions) == 1


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"{", "application/json", "JSON"), (b"", "application/json", "JSON"),
        (b'{"a": NaN}', "application/json", "JSON"),
        (b'{"text": "\xe9"}', "application/json", "UTF-8"), (b"[" * 100_000, "application/json", "JSON"),
        (b"[" * 40 + b"]" * 40, "application/json", "nests"), (b'{"a": 1}\n{', "application/x-ndjson", "JSON"),
        (b"a=1", "application/x-www-form-urlencoded", "form-urlencoded"), (b"{}", "", "Content-Type"),
        (b'"hola"', "application/json", "no mentions"), (b'{"mentions": 5}', "application/json", "no mentions"),
        (b" " * (MAX_BODY + 1), "application/json", "1000000 bytes"),
        (b"1" * 5000, "application/json", "JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_at_all_is_refused_whole(body: bytes, kind: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        send(body, content_type=kind)


def test_nesting_up_to_the_bound_is_read() -> None:
    deep: Any = "x"
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert send({"text": "Lumbre", "more": deep}).mentions
    with pytest.raises(Invalid, match="nests"):
        send({"text": "Lumbre", "more": [deep]})


def test_too_many_items_are_refused_whole() -> None:
    with pytest.raises(Invalid, match=f"{MAX_ITEMS + 1} items"):
        send([{"text": "a"}] * (MAX_ITEMS + 1))


def test_a_signature_is_checked_before_the_body_is_read() -> None:
    with pytest.raises(Refused):
        send(b"{", secret="falsa")


@pytest.mark.parametrize("text", ["", "zapier", "generic a b", "{", '{"text": 5, "x": "$.y"}', '{"title": "$..a"}'])
def test_a_query_that_does_not_say_what_is_sent_is_refused_with_an_example(text: str) -> None:
    source = WebhookSource(web=WEB, keys={"secret": SECRET})
    with pytest.raises(Refused):
        source.pages(Query(text=text), None)
    with pytest.raises(ConfigError):
        source.receive(Query(text=text), delivery({"text": "Lumbre"}))


def test_a_zone_that_does_not_exist_is_for_a_person_here_to_correct() -> None:
    with pytest.raises(ConfigError, match="Puebla"):
        send({"text": "a"}, zone="America/Puebla")


def test_a_hook_is_asked_for_nothing() -> None:
    source = WebhookSource(web=WEB, keys={})
    assert list(source.pages(Query(text="generic"), None)) == []
    assert isinstance(source, Receives)
    assert source.facts.pushed


# A mapping


MAPPING = json.dumps({
    "items": "$.data[*]", "source_id": "$.id", "text": "$.body", "title": "$['asunto del ticket']",
    "created_at": "$.ts", "author.name": "$.user.name", "rating": "$.score", "scale": 10, "lang": "es",
    "kind": "review", "name": "tienda", "deleted": "$.borrado",
})  # fmt: skip


def test_a_mapping_finds_everything_in_foreign_json() -> None:
    item = {"id": 17, "body": "Llegó frío", "asunto del ticket": "Pedido", "ts": 1795168800, "user": {"name": "Ana"},
            "score": 8}
    page = send({"data": [item, {"id": 18, "borrado": True}, {"id": 19}]}, MAPPING)
    (mention,) = page.mentions
    assert (mention.source_id, mention.text, mention.title) == ("tienda:17", "Llegó frío", "Pedido")
    assert (mention.rating, mention.lang, mention.kind) == (4, "es", "review")
    assert mention.created_at == datetime.fromtimestamp(1795168800, UTC)
    assert mention.author is not None
    assert mention.author.name == "Ana"
    assert mention.raw == item
    assert page.gone == ("tienda:18",)
    assert [refusal.where for refusal in page.refusals] == ["item 3"]


def test_a_text_in_several_places_is_joined() -> None:
    text = '{"text": "$.answers[?@.type==\'text\'].text", "rating": "$.answers[?@.stars].stars"}'
    answers = [{"type": "text", "text": "Frío"}, {"type": "choice", "text": "A"}, {"type": "text", "text": "Tarde"},
               {"type": "stars", "stars": 2}]
    (mention,) = send({"answers": answers}, text).mentions
    assert (mention.text, mention.rating) == ("Frío\nTarde", 2)


def test_without_a_place_of_items_the_document_is_the_item_or_their_list() -> None:
    assert len(send([{"t": "a"}, {"t": "b"}], '{"text": "$.t"}').mentions) == 2
    assert len(send({"t": "a"}, '{"text": "$.t"}').mentions) == 1


def test_a_delivery_with_nothing_where_the_items_should_be_is_refused_whole() -> None:
    with pytest.raises(Invalid, match="nothing at"):
        send({"items": [1]}, MAPPING)


@pytest.mark.parametrize(
    "place",
    [
        "$..text", "$.a[0,1]", "$['a','b']", "$.a[?match(@.x, '(a+)+$')]", "$.a[?count(@.*) > 1]", "$.a[?$.b == 1]",
        "$.a[?@..b]", "$.a[?@.*]", "$.a[?@.b[?@.c]]", "$.a | $.b", "$.", "$[", "$.a.~", "$" + ".a" * 101,
        "$" + "[?@.a" * 40, "$.a[?@.x[?@..y] || @.z]", "$.a[?!@..b]", "$.a[?(@.b && (@..c))]",
    ],
)  # fmt: skip
def test_a_place_that_could_take_for_ever_is_refused_when_it_is_written(place: str) -> None:
    with pytest.raises(Refused, match="no place that we can follow"):
        read_mapping(json.dumps({"text": place}))


@pytest.mark.parametrize(
    "place", ["$.a", "$['a b']", "$.a[0].b", "$.a[-1]", "$.a[1:3]", "$[*].a", "$.a[?@.b == 'x' && !@.c].d", "$"]
)
def test_plain_places_are_followed(place: str) -> None:
    read_mapping(json.dumps({"text": place}))


@pytest.mark.parametrize("text", ["[]", "{bad", '{"texto": "$.a"}', '{"lang": "es"}', '{"text": "$.a", "scale": "x"}'])
def test_a_mapping_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_mapping(text)


def test_the_largest_delivery_is_read_in_moments() -> None:
    # A bound of growth, far above what a slow machine takes: exponential paths would take hours.
    item = {"body": "x" * 40, "ts": "2026-11-20", "score": 3, "w": [[0] * 40] * 8}
    body = {"data": [{**item, "id": n} for n in range(900)]}
    mapping = {**json.loads(MAPPING), "place": "$.w[*][*][?@.x]", "url": "$.w[*][?@[39] == 1]"}
    begun = time.monotonic()
    assert len(send(body, json.dumps(mapping)).mentions) == 900
    assert time.monotonic() - begun < 60


# Typeform


def test_the_handmade_delivery_of_typeform_is_read(shared: Path) -> None:
    source = WebhookSource(web=WEB, keys={"secret": "handmade-secret"})
    page = source.receive(Query(text="typeform"), handmade(shared / "upstream"))
    (mention,) = page.mentions
    assert (mention.source_id, mention.kind) == ("tok0001:motivo", "survey")
    assert (mention.title, mention.text) == ("¿Por qué?", "El envío tardó demasiado y nadie avisó.")
    assert mention.created_at == datetime(2026, 10, 1, 10, 2, 11, tzinfo=UTC)
    assert (mention.rating, mention.author) == (None, None)
    assert mention.raw is not None
    assert (mention.raw["nps"], mention.raw["hidden"], mention.raw["form"]) == (
        3, {"cliente": "c-88"}, "Encuesta de satisfacción"
    )
    assert "persona@example.com" not in json.dumps(mention.raw)


def test_typeform_signs_with_another_secret_in_vain(shared: Path) -> None:
    with pytest.raises(Refused):
        WebhookSource(web=WEB, keys={"secret": SECRET}).receive(Query(text="typeform"), handmade(shared / "upstream"))


def survey(*answers: Any, event: str = "form_response", steps: int | None = None, **rest: Any) -> Any:
    fields = [
        {"id": "f1", "ref": "estrellas", "type": "rating", "title": "¿Qué tal?",
         **({"properties": {"steps": steps}} if steps else {})},
        {"id": "f2", "ref": "motivo", "type": "long_text", "title": "¿Por qué?"},
        {"id": "f3", "ref": "nombre", "type": "short_text", "title": "¿Cómo te llamas?"},
    ]
    return {"event_id": "e", "event_type": event, "form_response": {
        "form_id": "F", "token": "t", "submitted_at": "2026-11-20T10:00:00Z", "definition": {"fields": fields},
        "answers": list(answers), **rest,
    }}  # fmt: skip


def written(ref: str, text: str, kind: str = "long_text") -> Any:
    field = {"id": {"motivo": "f2", "nombre": "f3"}[ref], "ref": ref, "type": kind}
    return {"type": "text", "text": text, "field": field}


def stars(number: int) -> Any:
    return {"type": "number", "number": number, "field": {"id": "f1", "ref": "estrellas", "type": "rating"}}


@pytest.mark.parametrize(
    ("number", "steps", "rating"), [(4, None, 4), (8, 10, 4), (1, 10, 1), (3, 3, 5), (8, None, None), (5, 5, 5)]
)
def test_a_rating_goes_with_the_answer_that_follows_it(number: int, steps: int | None, rating: float | None) -> None:
    answers = [stars(number), written("motivo", "Rico"), written("nombre", "Ana", "short_text")]
    first, second = send(survey(*answers, steps=steps), "typeform").mentions
    assert (first.text, first.rating) == ("Rico", rating)
    assert (second.text, second.rating) == ("Ana", None)


def test_a_rating_that_nobody_explains_stands_alone() -> None:
    (mention,) = send(survey(stars(2)), "typeform").mentions
    assert (mention.source_id, mention.title, mention.text, mention.rating) == ("t:estrellas", "¿Qué tal?", "", 2)


def test_only_the_questions_asked_for_are_taken() -> None:
    said = survey(written("motivo", "Rico"), written("nombre", "Ana", "short_text"))
    assert [m.text for m in send(said, "typeform motivo").mentions] == ["Rico"]
    assert [m.text for m in send(said, "typeform f3").mentions] == ["Ana"]


def test_an_unfinished_response_and_one_without_words_are_left_out() -> None:
    for said in (survey(written("motivo", "Ri"), event="form_response_partial"), survey()):
        page = send(said, "typeform")
        assert (page.mentions, page.refusals, page.passed) == ((), (), 1)


def test_addresses_and_numbers_of_people_are_dropped_wherever_they_stand() -> None:
    mail = {"type": "email", "email": "ana@x.example", "field": {"id": "f4", "ref": "m", "type": "email"}}
    phone = {**mail, "type": "phone_number", "phone_number": "+52155"}
    hidden = {"email": "ana", "whatsapp": "52155", "quien": "Ana <ana@x.example>", "canal": "tienda"}
    (mention,) = send(survey(written("motivo", "Rico"), mail, phone, hidden=hidden), "typeform").mentions
    assert mention.raw is not None
    assert mention.raw["hidden"] == {"canal": "tienda"}
    assert "ana@" not in json.dumps(mention.raw)
    assert "52155" not in json.dumps(mention.raw)


@pytest.mark.parametrize(
    "broken", [{"type": "text"}, "hola", {"type": "text", "field": {"type": "long_text", "ref": "x"}}]
)
def test_a_mangled_answer_is_refused_alone(broken: Any) -> None:
    page = send(survey(written("motivo", "Rico"), broken), "typeform")
    assert [m.text for m in page.mentions] == ["Rico"]
    assert [refusal.where for refusal in page.refusals] == ["item 2"]


@pytest.mark.parametrize("said", [{}, [], {"form_response": 5}])
def test_what_typeform_does_not_send_is_refused_whole(said: Any) -> None:
    with pytest.raises(Invalid, match="Typeform"):
        send(said, "typeform")


def test_every_form_of_query_is_read() -> None:
    texts = ("generic", "GENERIC x", "typeform a b", MAPPING)
    assert [read_shape(text).prefix for text in texts] == ["", "x", "", "tienda"]
