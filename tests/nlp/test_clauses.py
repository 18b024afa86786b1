"""Texts are cut where a new thing is said, and nowhere else."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest

from nlp.clauses import spans
from tests.nlp.mixed import MIXED


def cut(text: str, lang: str = "es") -> list[str]:
    return [text[span.start : span.end] for span in spans(text, lang)]


@pytest.mark.parametrize(
    "pieces",
    [
        ["La comida muy rica.", "el servicio pésimo...", "nunca volvería"],
        ["Les pedí la factura", "y me dijeron que no.", "La app sí sirve bien."],
        ["Vivo en EE.UU. y compré por $10.50 en S.A. de C.V.", "El envío tardó."],
        ["El Sr. Pérez y la Dra. Ruiz me atendieron en Av. Juárez."],
        ["Llegó el 3 de nov. y costó 1.250,50 pesos aprox. con todo y envío."],
        ["Lo compré a las 8 p.m. en la sucursal centro."],
        ["Mira esto https://x.com/a.b?c=1.", "No sirve para nada."],
        ["Escribí a ayuda@tienda.com.mx y a @marca.oficial sin suerte"],
        ["Todo bien 😍😍", "El envío malísimo 😡", "no vuelvo más"],
        ["Me gustó mucho :)", "la entrega tardó"],
        ["😍 La comida deliciosa 👍🏽👏", "El lugar feo"],
        ["¿Por qué tardan tanto?", "¡Qué mal servicio!"],
        ["Muy lento…", "Pero rico todo"],
        ["Muy rico", "pero caro"],
        ["cada dia mas caro el servicio"],
        ["Se lo expliqué todo", "sin embargo nadie hizo nada"],
        ["No es que sea malo", "aunque tarda mucho"],
        ["La comida estaba deliciosa", "y el servicio fue pésimo"],
        ["Compré pan y leche y el café"],
        ["The room was lovely", "but the staff were rude"],
        ["I love it", "However it breaks often"],
    ],
    ids=lambda pieces: " ".join(pieces)[:30],
)
def test_it_is_cut_between_these(pieces: list[str]) -> None:
    assert cut(" ".join(pieces)) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("- Buena comida\n- Mal servicio\n* Caro\n\n• Feo", ["Buena comida", "Mal servicio", "Caro", "Feo"]),
        ("1. Buena comida\n2. Mal servicio", ["1. Buena comida", "2. Mal servicio"]),
        ("Precio alto; calidad baja", ["Precio alto", "calidad baja"]),
        ("Muy caro - nada más", ["Muy caro", "nada más"]),
        ("Mira https://x.com/a.b?c=1. No sirve", ["Mira https://x.com/a.b?c=1. No sirve"]),
        ("Pésimo\nLa comida fría", ["Pésimo", "La comida fría"]),
        ("El Sr. Pérez me atendió!!!La app no sirve", ["El Sr. Pérez me atendió!!!", "La app no sirve"]),
        ("La comida rica.La entrega lenta", ["La comida rica.", "La entrega lenta"]),
        ("La comida es buena, pero la entrega es lenta", ["La comida es buena", "pero la entrega es lenta"]),
        ("Buen hotel (aunque el wifi falla siempre)", ["Buen hotel (", "aunque el wifi falla siempre)"]),
        ("El producto, eso sí, es excelente.", ["El producto, eso sí, es excelente."]),
        ("Rico. Gracias.", ["Rico. Gracias."]),
        ("Bueno, pero", ["Bueno, pero"]),
        ("!!!", ["!!!"]), ("", []), (" \n\t ", []), ("😡" * 500, ["😡" * 500]), ("\n" * 500, []),
    ],
)  # fmt: skip
def test_blanks_bullets_and_fragments_are_no_pieces(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_mas_is_a_but_in_portuguese_only() -> None:
    said = "O produto é bom mas a entrega demorou"
    assert cut(said, "pt") == ["O produto é bom", "mas a entrega demorou"]
    assert cut("El producto es bueno mas barato no hay", "es") == ["El producto es bueno mas barato no hay"]


@pytest.mark.parametrize(("text", "praised", "blamed"), MIXED)
def test_praise_and_blame_of_a_mixed_mention_are_cut_apart(text: str, praised: str, blamed: str) -> None:
    lang = "pt" if " é " in text else "es"
    holds = [{word for word in (praised, blamed) if word in piece} for piece in cut(text, lang)]
    assert {praised} in holds
    assert {blamed} in holds


@pytest.mark.parametrize(
    "text",
    ["a." * 50_000, "pero " * 20_000, "😡 " * 30_000, "y el " * 20_000, ", la x" * 15_000, "@." * 2_000, "a@" * 2_000,
     "🏽" * 4_000, ":)" * 2_000],
)  # fmt: skip
def test_a_hostile_text_is_cut_in_moments(text: str) -> None:
    began = process_time()
    found = spans(text[:4_000])
    assert process_time() - began < 2
    assert all(0 <= a.start < a.end <= b.start for a, b in pairwise(found))
