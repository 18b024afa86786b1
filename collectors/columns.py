"""Finds out which column of a file holds what: by its name in Spanish, English or Portuguese, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from escucha.errors import Invalid
from escucha.text import fold

# Per field the names it goes by, the surest first; accents, case and punctuation aside.
NAMES: dict[str, tuple[str, ...]] = {
    "text": (
        "text", "texto", "comentario", "comment", "mensaje", "message", "mensagem", "review text", "review", "resena",
        "reseña", "opinion", "contenido", "content", "conteudo", "body", "cuerpo", "tweet", "post", "publicacion",
        "publicacao", "avaliacao", "respuesta", "descripcion", "description", "full text", "snippet", "selftext",
        "caption",
    ),
    "title": ("title", "titulo", "review title", "asunto", "subject", "headline", "titular"),
    "date": (
        "created at", "date", "fecha", "data", "published", "published at", "fecha de publicacion", "created",
        "fecha de creacion", "fecha y hora", "timestamp", "datetime", "review submit date and time", "marca temporal",
        "time", "hora", "created utc", "date published",
    ),
    "edited": ("edited at", "updated at", "editado"),
    "author": (
        "author handle", "author", "autor", "usuario", "user", "username", "screen name", "handle", "cliente", "autora",
        "user name", "nombre de usuario", "reviewer",
    ),
    "author_id": ("author id", "user id", "id de usuario"),
    "name": ("author name", "nombre", "name", "nome", "display name"),
    "followers": (
        "author followers", "followers", "seguidores", "followers count", "n de seguidores", "numero de seguidores",
    ),
    "rating": (
        "rating", "stars", "puntuacion", "calificacion", "estrellas", "estrelas", "star rating", "valoracion", "nota",
        "puntaje", "classificacao",
    ),
    "lang": ("lang", "language", "idioma", "lengua", "reviewer language"),
    "url": ("url", "link", "enlace", "permalink", "liga", "review link", "vinculo"),
    "source": ("source", "fuente", "red", "red social", "plataforma", "platform", "fonte", "canal", "network"),
    "likes": (
        "engagement likes", "likes", "me gusta", "likes count", "favorites", "favourites", "favoritos", "curtidas",
        "favorite count",
    ),
    "comments": (
        "engagement comments", "comments", "comentarios", "replies", "respuestas", "reply count", "num comments",
    ),
    "shares": (
        "engagement shares", "shares", "compartidos", "compartilhamentos", "retweets", "retweet count", "reposts",
        "veces compartido",
    ),
    "views": ("engagement views", "views", "vistas", "visualizaciones", "visualizacoes", "impresiones", "impressions"),
    "place": ("place", "lugar", "ciudad", "pais", "city", "country", "cidade", "location", "ubicacion", "estado"),
    "id": ("source id", "id", "identificador", "review id", "tweet id", "post id", "comment id", "folio"),
    "author_url": ("author url",),
    "verified": ("author verified", "verified", "verificado"),
    "parent": ("parent id", "in reply to", "in reply to id"),
    "kind": ("kind", "tipo"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Which column (its name in the file) holds each field; `date_format` is strptime's, where the user gave one."""

    columns: Mapping[str, str]
    date_format: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it leads to anything that can be a mention."""
        return "text" in self.columns or "rating" in self.columns or "title" in self.columns


def guess(header: Sequence[str]) -> ColumnMap:
    """The mapping that the column names suggest; each column serves one field."""
    named = {plain_name(column): column for column in reversed(header) if column}
    columns = {
        field: named[name] for field, names in NAMES.items() if (name := next((n for n in names if n in named), None))
    }
    if "text" not in columns and "comments" in columns:
        columns["text"] = columns.pop("comments")  # in a survey, "Comentarios" is what people wrote
    return ColumnMap(columns=columns)


def chosen(header: Sequence[str], wish: str) -> ColumnMap:
    """The mapping as the user says it (`text=Comentario,date=Fecha:%d/%m/%Y`), guessed where they say nothing.

    `date=` leaves a field out.

    Raises:
        Invalid: an unknown field, or a column that the file does not have.
    """
    named = {plain_name(column): column for column in reversed(header) if column}
    columns: dict[str, str] = {}
    ignored: set[str] = set()
    date_format = None
    for part in re.split(r",(?=\s*\w+\s*=)", wish):
        field, _, column = (piece.strip() for piece in part.partition("="))
        column, _, layout = column.partition(":%")
        if field not in NAMES:
            raise Invalid(
                "There is no field {field} to map to. Choose among: {fields}.", field=field, fields=", ".join(NAMES)
            )
        if not column:
            ignored.add(field)
            continue
        if plain_name(column) not in named:
            raise Invalid(
                "The file has no column {column}. Its columns are: {columns}.", column=column, columns=", ".join(header)
            )
        columns[field] = named[plain_name(column)]
        date_format = f"%{layout}" if layout else date_format
    rest = {
        field: column
        for field, column in guess(header).columns.items()
        if column not in columns.values() and field not in ignored
    }
    return ColumnMap(columns={**rest, **columns}, date_format=date_format)


def plain_name(column: str) -> str:
    """A column's name for comparing: accents, case, punctuation and invisible characters aside."""
    return fold(re.sub(r"[\W_]+", " ", column))
