"""The journey map as a page: the stages side by side, with the emotion curve across them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from api.dashboard.charts import Mood, Spec, emotion_curve
from api.dashboard.compare import ENOUGH, net_interval
from api.dashboard.shell import Frame
from escucha.journey import JourneyMap, StageColumn
from pipeline.journey import draw


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPage:
    """The map, its curve (None where no stage has a mention), and how many mentions have no stage."""

    map: JourneyMap
    curve: Spec | None
    intervals: dict[str, str | None]
    unstaged: int


def journey_page(session: Session, frame: Frame) -> JourneyPage:
    """Read and lay out the page of a frame."""
    drawn = draw(session, frame.filter, frame.labels.catalogue)
    moods = [mood(frame, column) for column in drawn.columns]
    return JourneyPage(
        map=drawn, unstaged=drawn.n - drawn.staged,
        curve=emotion_curve(moods, frame.reader) if any(mood.value is not None for mood in moods) else None,
        intervals={column.stage.key: net_interval(frame.reader, column.mix) for column in drawn.columns},
    )


def mood(frame: Frame, column: StageColumn) -> Mood:
    """A stage as a point of the curve; 100 points of net sentiment are 2 of the scale."""
    mix = column.mix
    return Mood(
        stage=frame.labels.word(column.stage.label), value=column.emotion, n=mix.n, net=frame.reader.signed(mix.net),
        low=None if mix.net_low is None else mix.net_low / 50, high=None if mix.net_high is None else mix.net_high / 50,
        thin=mix.n < ENOUGH, href=frame.link("/mentions", stage=[column.stage.key]),
    )
