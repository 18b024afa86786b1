"""Mails are read without touching them, reduced to what the person wrote, and stored without anybody's address."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import WALL
from collectors.http import WebOptions
from collectors.imap import Mail
from collectors.letter import letter_raw, letters, to_mention
from collectors.mailbox import MailboxSource, folder_of
from collectors.reply import own_words, own_words_in
from escucha.brand import Query
from escucha.errors import Refused, TryLater, Unreadable
from escucha.mention import Mention
from escucha.source import Page
from tests.collectors.fakes import CLOCK, NOW, SECRET, wire
from tests.collectors.fakes.mailbox import USER, MailboxUpstream, letter, recorded_mails

INBOX = Query(text="INBOX")


@pytest.fixture
def box(tmp_path: Path) -> MailboxUpstream:
    return MailboxUpstream(tmp_path)


def mapped(body: bytes, received: datetime | None = NOW) -> list[Mention | None]:
    return [to_mention(one, USER, NOW) for one in letters(Mail(uid=5, received=received, body=body))]


def one(body: bytes, received: datetime | None = NOW) -> Mention:
    (mention,) = mapped(body, received)
    assert mention is not None
    return mention


def said(text: str = "El café llegó frío", **headers: str) -> bytes:
    return letter(text, NOW - timedelta(hours=3), "a1@cliente.example", **headers)


def read(box: MailboxUpstream, page: Page | None = None, query: Query = INBOX) -> list[Page]:
    return list(box.source().pages(query, page.cursor if page else None))


def test_a_mail_is_mapped_and_its_writer_known_by_a_fingerprint() -> None:
    mention = one(said(In_Reply_To="<previo@lumbre.example> (Lumbre)", Content_Language="es-MX, en"))
    assert (mention.source_id, mention.parent_id) == ("a1@cliente.example", "previo@lumbre.example")
    assert (mention.kind, mention.title, mention.text) == ("message", "Mi pedido de café", "El café llegó frío")
    assert (mention.created_at, mention.lang, mention.url) == (NOW - timedelta(hours=3), "es-mx", None)
    assert mention.author is not None
    assert mention.author.id == sha256(b"mailbox:ana.ruiz@cliente.example").hexdigest()
    assert (mention.author.handle, mention.author.name) == ("Ana Ruiz", "Ana Ruiz")


def test_no_address_is_kept_anywhere(box: MailboxUpstream) -> None:
    box.put(said(From='"ana@cliente.example" <ana@cliente.example>', Message_ID="<1@x>"))
    box.put(said(From="ana@cliente.example", Date="", Message_ID="<2@x>"))
    (page,) = read(box)
    kept = repr(page.mentions)
    assert len(page.mentions) == 2
    assert "ana@cliente.example" not in kept
    assert USER not in kept
    assert all(m.author and m.author.handle == m.author.id[:12] and m.author.name is None for m in page.mentions)


def test_a_name_that_holds_an_address_is_not_taken_for_the_writer() -> None:
    tricky = "=?utf-8?Q?Eva_=3Cjefe=40lumbre=2Eexample=3E?= <eva@cliente.example>"
    mention = one(said(From=tricky))
    assert mention.author is not None
    assert mention.author.id == sha256(b"mailbox:eva@cliente.example").hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"},
        {"Subject": "Respuesta automática: Mi pedido"}, {"Subject": "Resposta automática: Pedido"},
        {"Subject": "=?utf-8?Q?Respuesta_autom=C3=A1tica=3A?= Pedido"}, {"Subject": "Out of Office: pedido"},
        {"Content_Type": "multipart/report; report-type=delivery-status; boundary=x"}, {"Return_Path": "<>"},
        {"From": f"Lumbre <{USER.upper()}>"},
    ],
)
def test_what_a_machine_or_we_ourselves_wrote_is_left_out(headers: dict[str, str]) -> None:
    assert mapped(said(**headers)) == [None]


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "no"}, {"Precedence": "list"}, {"Subject": "No se pudo entregar mi pedido"},
     {"Subject": "Delivery status of my order"}, {"Return_Path": "<ana@cliente.example>"}],
)  # fmt: skip
def test_what_only_looks_like_it_is_taken(headers: dict[str, str]) -> None:
    assert one(said(**headers)).text == "El café llegó frío"


@pytest.mark.parametrize(
    ("date", "received", "taken"),
    [
        ("Sat, 21 Nov 2026 10:00:00 -0600", NOW, datetime(2026, 11, 21, 16, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 10:00:00", NOW, datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("Thu, 01 Jan 1970 00:00:00 +0000", NOW, NOW),
        ("Mon, 01 Jan 2080 00:00:00 +0000", NOW, NOW),
        ("Sat, 21 Nov 2026 10:00:00 +0000", NOW - timedelta(days=9), NOW - timedelta(days=9)),
        ("ayer", NOW, NOW),
        ("", NOW, NOW),
        ("Sat, 21 Nov 2026 10:00:00 +0000", None, datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_an_absurd_date_gives_way_to_when_the_server_got_it(date: str, received: Any, taken: datetime) -> None:
    assert one(said(Date=date), received).created_at == taken


def test_a_mail_without_any_date_is_refused() -> None:
    with pytest.raises(Unreadable, match="no date"):
        mapped(said(Date=""), None)


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    first, same, other = (one(said(text, Message_ID="")) for text in ("Rico", "Rico", "Frío"))
    assert first.source_id == same.source_id != other.source_id


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Llegó frío.\n\nEl lun, 3 nov 2026 a las 10:00, Lumbre (<hola@x.mx>) escribió:\n> ¿Qué tal?\n", "Llegó frío."),
        ("Llegó frío.\nEl lun, 3 nov 2026 a las 9:00, Cafés\nLumbre <h@x.mx> escribió:\n\n> Hola\n>Ya", "Llegó frío."),
        ("It was cold.\n\nOn Mon, Nov 3, 2026 at 10:00 AM Lumbre <hola@x.mx> wrote:\n\n> Hi\n", "It was cold."),
        ("Chegou frio.\n\nEm seg., 3 de nov. de 2026 às 10:00, Lumbre <o@x.br> escreveu:\nTudo bem?", "Chegou frio."),
        ("Sí.\n\n-----Mensaje original-----\nDe: Lumbre\nHola", "Sí."),
        ("Yes.\n\n----- Original Message -----\nFrom: Lumbre\nHi", "Yes."),
        ("Sim.\n\n-----Mensagem original-----\nOlá", "Sim."),
        ("Sí.\n\nDe: Lumbre <o@x.mx>\nEnviado el: lunes\nPara: Ana\nAsunto: Café\n\nHola", "Sí."),
        ("Sí.\n\n*From:* Lumbre\n*Sent:* Monday\n*To:* Ana\n*Subject:* Coffee\n\nHi", "Sí."),
        ("Respondo:\nEl 3/11 Lumbre escribió:\n> ¿Frío?\nSí, mucho.\n> ¿Y?\nNada.", "Respondo:\nSí, mucho.\nNada."),
        ("Frío.\n-- \nAna Ruiz\nTel. 555", "Frío."),
        ("Frío.\n\n--\nAna", "Frío."),
        ("Frío.\n\nEnviado desde mi iPhone", "Frío."),
        ("Cold.\nSent from my Galaxy", "Cold."),
        ("Frio.\nEnviado do meu iPhone", "Frio."),
        ("Frío.\nObtener Outlook para Android", "Frío."),
        ("Ayer el mesero me escribió: no hay café.\nQué mal.", "Ayer el mesero me escribió: no hay café.\nQué mal."),
        ("De: mesa 4\nEl café frío.", "De: mesa 4\nEl café frío."),
        ("---- Mensaje reenviado ----\nDe: Eva <e@x>\nDate: hoy\nSubject: Queja\nTo: Ana\n\nMuy caro.", "Muy caro."),
        ("> Todo citado\n> y nada más", "Todo citado\ny nada más"),
    ],
)  # fmt: skip
def test_only_what_the_person_wrote_remains(body: str, kept: str) -> None:
    assert own_words(body) == kept


@pytest.mark.parametrize(
    "html",
    [
        '<p>Frío.</p><div class="gmail_quote"><div class="gmail_attr">El lun:</div><blockquote>Hola</blockquote></div>',
        '<p>Frío.</p><blockquote type="cite">Hola<blockquote>Antes</blockquote></blockquote>',
        '<p>Frío.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">De: Lumbre</div><div>Hola</div>',
        '<p>Frío.</p><div class="gmail_signature">Ana</div>',
        '<p>Frío.</p><div class="moz-cite-prefix">El 3/11:</div><blockquote>x</blockquote>'
        '<pre class="moz-signature">-- Ana</pre>',
    ],
)  # fmt: skip
def test_quotes_in_html_go_by_the_names_that_mail_programs_give_them(html: str) -> None:
    assert own_words_in(html) == "Frío."


def test_a_mail_in_html_alone_is_read_and_plain_text_is_preferred() -> None:
    parts = (
        '--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>En <b>HTML</b></p>\r\n{}--x--\r\n'
    )
    plain_too = "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nEn texto\r\n"
    kind = "multipart/alternative; boundary=x"
    assert one(said(parts.format(""), Content_Type=kind)).text == "En HTML"
    assert one(said(parts.format(plain_too), Content_Type=kind)).text == "En texto"


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("text/plain; charset=x-desconocido", "Café".encode(), "Café"),
        ("text/plain; charset=utf-8", "Café".encode("cp1252"), "Café"),
        ("text/plain; charset=iso-8859-1", "Café".encode("latin-1"), "Café"),
        ("text/plain", "Café".encode(), "Café"),
    ],
)
def test_a_wrong_charset_loses_no_letter(head: str, body: bytes, text: str) -> None:
    told = f"From: a@b.mx\r\nMessage-ID: <1@b>\r\nContent-Type: {head}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert one(told.encode() + body).text == text


def test_headers_in_raw_bytes_are_read() -> None:
    for raw in ("Café frío".encode(), "Café frío".encode("cp1252")):
        mail = b"Subject: " + raw + b"\nFrom: Mart\xedn <m@b.mx>\nMessage-ID: <1@b>\n\nHola"
        mention = one(mail)
        assert (mention.title, mention.author and mention.author.name) == ("Café frío", "Martín")


@pytest.mark.parametrize(
    "mail",
    [b"", b"\r\n\r\n", b"hola", b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n", b"From: =?x?y?z?=\n\n",
     b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(4000)),
     b"Content-Type: message/rfc822\n\n" * 4000, b"Subject: =?utf-8?B?a?=\nDate: 99 99\nContent-Type: ;;;\n\nx",
     b"Content-Disposition: attachment; filename*0*=\nContent-Type: text/plain; charset*=''\n\nx"],
)  # fmt: skip
def test_no_mail_brings_the_reading_down(mail: bytes, box: MailboxUpstream) -> None:
    box.put(mail)
    box.put(said())
    (page,) = read(box)
    assert page.mentions[-1].source_id == "a1@cliente.example"
    assert len(page.mentions) + len(page.refusals) + page.passed == 2


def test_a_refused_mail_shows_its_number_and_no_address(box: MailboxUpstream) -> None:
    box.put(said())
    box.mangled = True
    (page,) = read(box)
    (refusal,) = page.refusals
    assert (refusal.where, refusal.raw["uid"]) == ("mail 3", 3)
    assert "cannot be read" in str(refusal.why)


def test_recorded_mails_keep_their_words_and_lose_their_addresses(shared: Path) -> None:
    found = {}
    for mail in recorded_mails(shared / "upstream"):
        for opened in letters(mail):
            mention = to_mention(opened, USER, NOW)
            found[mention.source_id if mention else opened.mail.body] = mention
    exact = found["user-751f6c@example.com"]
    assert exact is not None
    assert exact.text.startswith("Hi Simos,\n\nI am not handling Ubuntu packaging stuff—it'd be worth checking with\n")
    assert "numbers being thrown around" not in exact.text
    assert exact.author is not None
    assert exact.author.name == "Danilo Šegan"
    assert exact.parent_id == "1205676169.6819.27.camel@user-computer.NETWORK"
    japanese = found["xxxxx@docomo.ne.jp"]
    assert japanese is not None
    assert japanese.text.startswith("あいうえお")
    assert sum(mention is None for mention in found.values()) == 3  # two bounces and a mail in bulk


ALERT = """<html><table>
<tr itemscope="" itemtype="http://schema.org/Article"><td><a href="https://www.google.com/url?rct=j&amp;sa=t&amp;\
url=https://diario.example/lumbre%3Fa%3D1%26b%3D2&amp;ct=ga&amp;cd=X" itemprop="url"><span itemprop="name">Cafés \
<b>Lumbre</b> abre en Le&oacute;n</span></a><div itemprop="publisher" itemscope><a><span itemprop="name">El Diario\
</span></a></div><div itemprop="description">La cadena de <b>café</b>&nbsp;...</div>
<a href="https://www.google.com/alerts/share?ru=https://diario.example/lumbre">Facebook</a></td></tr>
<tr itemscope="" itemtype="http://schema.org/Article"><td><a href="https://www.google.com/url?url=https://otro.example/n"
 itemprop="url"><span itemprop="name">Otra nota</span></a></td></tr>
<tr itemscope="" itemtype="http://schema.org/Article"><td><a href="javascript:alert(1)" itemprop="url">No</a></td></tr>
</table></html>"""
ALERT_TEXT = """=== Noticias - 1 resultado nuevo para [lumbre] ===

Cafés Lumbre abre en León
El Diario
La cadena de café abre
su tienda ...
<https://www.google.com/url?rct=j&sa=t&url=https://diario.example/lumbre&ct=ga>

- - -
Cancelar esta alerta:
<https://www.google.com/alerts/remove?s=AB2>
"""


def alert(text: str, kind: str) -> bytes:
    return said(
        text, From="Google Alerts <googlealerts-noreply@google.com>", Subject="Alerta de Google: lumbre",
        Content_Type=f"{kind}; charset=utf-8", Precedence="bulk",
    )


def test_a_google_alert_becomes_one_article_a_link() -> None:
    first, second = mapped(alert(ALERT, "text/html"))
    assert first is not None
    assert second is not None
    assert first.source_id == first.url == "https://diario.example/lumbre?a=1&b=2"
    assert (first.kind, first.title, first.text) == ("article", "Cafés Lumbre abre en León", "La cadena de café ...")
    assert (first.author and first.author.name, first.created_at) == ("El Diario", NOW - timedelta(hours=3))
    assert (second.url, second.author) == ("https://otro.example/n", None)


def test_an_alert_in_plain_text_is_read_too() -> None:
    mention = one(alert(ALERT_TEXT, "text/plain"))
    assert (mention.url, mention.title) == ("https://diario.example/lumbre", "Cafés Lumbre abre en León")
    assert mention.text == "La cadena de café abre su tienda ..."
    assert mention.author is not None
    assert mention.author.name == "El Diario"


def test_an_alert_without_known_links_is_listed_as_refused() -> None:
    with pytest.raises(Unreadable, match="Google Alerts"):
        mapped(alert("Confirma tu alerta", "text/plain"))


def test_nothing_in_the_mailbox_is_touched(box: MailboxUpstream) -> None:
    box.add(3)
    read(box)
    names = [" ".join(command.split()[:2]).upper() for command in box.commands]
    assert names == ["CAPABILITY", "AUTHENTICATE PLAIN", 'EXAMINE "INBOX"', "UID SEARCH", "UID FETCH", "LOGOUT"]
    assert "BODY.PEEK[]<0.262144>" in box.commands[4]


def test_a_big_folder_is_read_in_steps_and_a_first_reading_stays_where_it_began(box: MailboxUpstream) -> None:
    box.put(said(Message_ID="<viejo@x>", Date="Tue, 01 Sep 2026 10:00:00 +0000"), NOW - timedelta(days=80))
    box.add(1120)
    pages = read(box)
    assert [len(page.mentions) for page in pages] == [50] * 20
    assert [page.more for page in pages] == [False] * 19 + [True]
    box.put(said(Message_ID="<archivado@x>"), NOW - timedelta(days=70))  # moved here while the first reading goes on
    rest = read(box, pages[-1])
    assert sum(len(page.mentions) for page in rest) == 120
    box.put(said(Message_ID="<luego@x>"), NOW - timedelta(days=70))  # moved here later: new to this folder
    (later,) = read(box, rest[-1])
    assert [mention.source_id for mention in later.mentions] == ["luego@x"]


def test_the_last_mail_is_not_read_again_when_there_is_none_newer(box: MailboxUpstream) -> None:
    box.add(2)
    (page,) = read(box)
    (again,) = read(box, page)
    assert (again.mentions, again.passed) == ((), 0)
    assert not any("FETCH" in command for command in box.commands[box.commands.index("LOGOUT") :])


def test_numbers_that_began_anew_are_read_from_the_start(box: MailboxUpstream) -> None:
    box.add(2)
    (page,) = read(box)
    box.validity, box.folders["INBOX"] = 8, box.folders["INBOX"][:1]
    (again,) = read(box, page)
    assert [mention.source_id for mention in again.mentions] == ["1@cliente.example"]


def test_a_first_reading_that_learns_no_number_stays_a_first_one(box: MailboxUpstream) -> None:
    box.tells_next = False
    (page,) = read(box)
    assert page.mentions == ()
    box.put(said(Message_ID="<viejo@x>"), NOW - timedelta(days=80))
    box.put(said())
    (later,) = read(box, page)
    assert [mention.source_id for mention in later.mentions] == ["a1@cliente.example"]


def test_a_run_covers_the_time_since_the_last(box: MailboxUpstream) -> None:
    box.add(60)
    first, second = read(box)
    assert first.covers is None
    assert second.covers is not None
    assert (second.covers.start, second.covers.end) == (NOW - timedelta(days=30), NOW)
    (again,) = read(box, second)
    assert again.covers is not None
    assert (again.covers.start, again.covers.end) == (NOW, NOW)


def test_a_folder_with_letters_of_its_language_is_opened(box: MailboxUpstream) -> None:
    box.put(said(), folder="Campa&APE-as/R&-D")
    (page,) = read(box, query=Query(text="Campañas/R&D"))
    assert len(page.mentions) == 1


def test_a_folder_that_does_not_exist_is_named(box: MailboxUpstream) -> None:
    with pytest.raises(Refused, match="no folder Quejas"):
        read(box, query=Query(text="Quejas"))


@pytest.mark.parametrize(
    ("capabilities", "keys", "heard"),
    [
        ("IMAP4rev1 AUTH=PLAIN", {}, f"{USER} {SECRET}"),
        ("IMAP4rev1", {}, f"{USER} {SECRET}"),
        ("IMAP4rev1", {"password": 'con "comillas" y \\'}, f'{USER} con "comillas" y '),
        ("IMAP4rev1 AUTH=PLAIN", {"password": "contraseña"}, f"{USER} contraseña"),
        ("IMAP4rev1 AUTH=XOAUTH2", {"token": "ya29"}, f"user={USER} auth=Bearer ya29"),
    ],
)
def test_it_signs_in_as_the_server_can(
    box: MailboxUpstream, capabilities: str, keys: dict[str, str], heard: str
) -> None:
    box.capabilities, box.keys = capabilities, {**box.keys, **keys}
    read(box)
    assert box.signed_in == [heard]


@pytest.mark.parametrize(
    ("denied", "keys", "error", "words"),
    [
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", {}, Refused, "app password is needed"),
        ("[ALERT] Application-specific password required", {}, Refused, "wants an app password"),
        ("AUTHENTICATE failed. Basic auth is disabled", {}, Refused, "use a token"),
        ("[AUTHENTICATIONFAILED] Invalid credentials", {"token": "ya29"}, Refused, "Sign in again"),
        ("[UNAVAILABLE] Temporary System Error", {}, TryLater, "asks for patience"),
        ("[LIMIT] Too many simultaneous connections. (Failure)", {}, TryLater, "asks for patience"),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits", {"token": "ya29"}, TryLater, "asks for patience"),
    ],
)
def test_what_the_server_says_is_told_in_words(
    box: MailboxUpstream, denied: str, keys: dict[str, str], error: type[Exception], words: str
) -> None:
    box.denied, box.keys = denied, {**box.keys, **keys}
    with pytest.raises(error, match=words) as caught:
        read(box)
    told = str(caught.value) + repr(getattr(caught.value, "details", {}))
    assert not any(secret in told for secret in (SECRET, "ya29", USER))


def test_a_limit_is_given_a_quarter_of_an_hour(box: MailboxUpstream) -> None:
    box.denied = "[THROTTLED]"
    with pytest.raises(TryLater) as caught:
        read(box)
    assert caught.value.after == 900


def test_a_server_that_says_nothing_is_left_after_the_deadline(box: MailboxUpstream) -> None:
    box.silent = True
    began = time.monotonic()
    with pytest.raises(TryLater, match="did not answer within"):
        list(box.source(clock=WALL, deadline=0.4).pages(INBOX, None))
    assert time.monotonic() - began < 5


def opened_with(web: WebOptions, **keys: str) -> Callable[[], list[Page]]:
    told = {"host": "127.0.0.1", "port": "9", "user": USER, "password": SECRET, **keys}
    source = MailboxSource(web=web, keys={name: value for name, value in told.items() if value}, clock=CLOCK)
    return lambda: list(source.pages(INBOX, None))


def test_a_server_in_the_private_network_is_not_visited() -> None:
    with pytest.raises(Refused, match="inside a private network"):
        opened_with(WebOptions())()


@pytest.mark.parametrize("allowed", [(), ("127.0.0.1",), ("127.0.0.1:10",)])
def test_without_encryption_only_the_very_port_that_is_allowed_is_read(allowed: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="encrypted connection"):
        opened_with(WebOptions(allow_hosts=allowed), tls="no")()


def test_encryption_is_what_is_asked_for(box: MailboxUpstream) -> None:
    box.keys.pop("tls")
    with pytest.raises(TryLater, match=r"cannot be reached|broke off"):
        read(box)
    assert box.signed_in == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [({"host": ""}, "needs host"), ({"user": ""}, "needs user"), ({"password": ""}, "needs password"),
     ({"host": "http://imap.example"}, "no mail server"), ({"port": "x"}, "no mail server"),
     ({"password": "a\r\nLOGOUT"}, "line break")],
)  # fmt: skip
def test_what_is_missing_or_off_is_named(keys: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        opened_with(WebOptions(), **keys)()


@pytest.mark.parametrize("text", ["INBOX\r\nDELETE INBOX", "a\0b", "x" * 300])
def test_a_query_that_is_no_folder_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="no folder of a mailbox"):
        folder_of(text)


@pytest.mark.parametrize(
    ("host", "keys", "url", "form"),
    [
        ("imap.gmail.com", {"refresh_token": "1//r"},
         "https://oauth2.googleapis.com/token", "grant_type=refresh_token"),
        ("outlook.office365.com", {"refresh_token": "1//r"},
         "https://login.microsoftonline.com/common/oauth2/v2.0/token", "IMAP.AccessAsUser.All"),
        ("outlook.office365.com", {"tenant": "lumbre.example"},
         "https://login.microsoftonline.com/lumbre.example/oauth2/v2.0/token", "grant_type=client_credentials"),
    ],
)  # fmt: skip
def test_access_is_renewed_at_the_provider(host: str, keys: dict[str, str], url: str, form: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return wire(httpx.Response(400, json={"error": "invalid_grant"}))

    source = MailboxSource(
        web=WebOptions(), keys={"host": host, "user": USER, "client_id": "app", "client_secret": SECRET, **keys},
        transport=httpx.MockTransport(answer), clock=CLOCK,
    )
    with pytest.raises(Refused, match="does not renew the access") as caught:
        list(source.pages(INBOX, None))
    (request,) = asked
    assert str(request.url) == url
    assert form in request.content.decode()
    assert f"client_secret={SECRET}" in request.content.decode()
    assert SECRET not in str(caught.value) + repr(caught.value.details)


def test_the_new_token_signs_in(box: MailboxUpstream) -> None:
    box.keys |= {"refresh_token": "1//r", "client_id": "app", "base_url": "https://proveedor.example"}
    source = box.source()
    granted = httpx.MockTransport(lambda request: wire(httpx.Response(200, json={"access_token": "nuevo"})))
    renewed = MailboxSource(web=source._options, keys=source._keys, transport=granted, clock=CLOCK)
    list(renewed.pages(INBOX, None))
    assert box.signed_in == [f"user={USER} auth=Bearer nuevo"]


def test_what_is_kept_beside_the_words_is_json() -> None:
    (opened,) = letters(Mail(uid=5, received=NOW, body=said()))
    raw = letter_raw(opened)
    assert json.loads(json.dumps(raw)) == raw
    assert set(raw) == {"uid", "message_id", "date", "received"}


def test_a_mail_cut_within_its_attachment_keeps_its_words() -> None:
    photo = base64.encodebytes(b"x" * 300_000).decode()
    text = (
        "--x\r\nContent-Type: text/plain\r\n\r\nLes mando la foto\r\n"
        f"--x\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n{photo}\r\n--x--\r\n"
    )
    whole = said(text, Content_Type="multipart/mixed; boundary=x")
    assert one(whole[:262_144]).text == "Les mando la foto"


def test_terms_are_looked_for_in_subject_and_text(box: MailboxUpstream) -> None:
    box.put(said("Hola", Subject="Lumbre", Message_ID="<1@x>"))
    box.put(said("Hola", Subject="Otra cosa", Message_ID="<2@x>"))
    (page,) = read(box, query=replace(INBOX, terms=("lumbre",)))
    assert [mention.source_id for mention in page.mentions] == ["1@x"]
    assert page.passed == 1
