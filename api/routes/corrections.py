"""Corrections over HTTP: say what a mention's label is, or take that back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import Parts, Write
from api.schemas import CorrectionIn, ErrorOut, MentionOut
from escucha.enrichment import TaggedMention
from escucha.rule import Kind
from pipeline import correct

router = APIRouter(prefix="/mentions/{id}/corrections", tags=["corrections"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The mention's number.")]


@router.post("", response_model=MentionOut, summary="Correct a label")
def correct_label(session: Write, parts: Parts, id: Number, asked: CorrectionIn) -> TaggedMention:
    """Say what a label is. It counts at once, everywhere; what the model said stays in `enrichment.said`."""
    return correct.correct(session, parts.catalogue, id, asked.kind, asked.label, parts.clock())


@router.delete("/{kind}", response_model=MentionOut, summary="Take a correction back")
def undo_correction(session: Write, id: Number, kind: Kind) -> TaggedMention:
    """Take a correction back: a rule's or the model's own answer counts again."""
    return correct.undo(session, id, kind)
