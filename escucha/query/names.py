"""What the fields of the query language are called, in English and Spanish, and their values by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from escucha.enrichment import SENTIMENTS
from escucha.journey import NO_LABEL
from escucha.mention import KINDS
from escucha.query.tree import NumberField, TextField

NUMBER_FIELDS: tuple[NumberField, ...] = get_args(NumberField)
TEXT_FIELDS: tuple[TextField, ...] = get_args(TextField)
FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS, "raw")
SPANISH: Mapping[str, str] = {
    "autor": "author", "autora": "author", "sitio": "site", "idioma": "lang", "pais": "country", "fuente": "source",
    "tipo": "type", "titulo": "title", "seguidores": "followers", "interacciones": "engagement",
    "calificacion": "rating", "sentimiento": "sentiment", "etapa": "stage", "dolor": "pain", "punto": "touchpoint",
    "etiqueta": "tag", "marca": "brand",
}
NAMES: Mapping[str, str] = {**{name: name for name in FIELDS}, **SPANISH}
"""Every name a field goes by, folded, and the field."""
NONE_IN_SPANISH = dict.fromkeys(("ninguno", "ninguna", "sin"), NO_LABEL)
SENTIMENT_NAMES: Mapping[str, str] = {
    **{one: one for one in (*SENTIMENTS, NO_LABEL)}, **NONE_IN_SPANISH, "positivo": "positive", "positiva": "positive",
    "neutro": "neutral", "neutra": "neutral", "negativo": "negative", "negativa": "negative",
}
TYPE_NAMES: Mapping[str, str] = {
    **{kind: kind for kind in KINDS}, "publicacion": "post", "comentario": "comment", "resena": "review",
    "reseña": "review", "articulo": "article", "nota": "article", "mensaje": "message", "encuesta": "survey",
}
EXAMPLES: Mapping[str, str] = {
    "author": "ana", "site": "example.com", "url": "example.com/blog", "lang": "es", "country": "mx",
    "source": "mastodon", "type": "review", "title": '"café de olla"', "hashtag": "café", "sentiment": "negative",
    "stage": "purchase", "pain": "problem", "touchpoint": "delivery", "tag": "purchase", "brand": "lumbre",
    "followers": ">3000", "engagement": ">=50", "rating": "<=2", "raw": '"C++"',
}
"""A value of each field, for messages."""
