"""What an installation may set, in escucha.toml or the environment (ESCUCHA_…). Only the doors (api) read this."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from escucha.errors import ConfigError


class RedditKeys(BaseModel):
    """An approved Reddit app of type "script" or "web" (app-only access)."""

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")


class SentimentModel(BaseModel):
    """A classifier in place of the embedded model: a local folder or a hub name. Empty: the embedded model.

    `labels` says what its labels mean, where they do not say it themselves.
    """

    model: str = ""
    labels: dict[str, Literal["negative", "neutral", "positive"]] = {}


class EncoderModel(BaseModel):
    """A text encoder in place of the embedded model: a local folder or a hub name. Empty: the embedded model."""

    model: str = ""


class Nlp(BaseModel):
    """The models that read the texts. `shelf` is where `escucha models add` notes what it measured."""

    sentiment: SentimentModel = SentimentModel()
    encoder: EncoderModel = EncoderModel()
    shelf: str = "data/models.json"


class Web(BaseModel):
    """How collectors behave towards the web. `allow_hosts` opens single hosts that the address guard refuses."""

    contact: str = ""
    deadline: float = Field(default=30.0, gt=0, description="seconds for one request in all, redirects included")
    max_bytes: int = Field(default=5_000_000, gt=0, description="of one answer, unpacked")
    pace: float = Field(default=1.0, ge=0, description="seconds between two requests to one host")
    allow_hosts: tuple[str, ...] = ()


class Settings(BaseSettings):
    """Every setting with its default: out of the box Escucha needs none."""

    model_config = SettingsConfigDict(
        env_prefix="ESCUCHA_", env_nested_delimiter="__", toml_file="escucha.toml", extra="forbid"
    )

    database: str = Field(default="sqlite:///data/escucha.db", description="a SQLAlchemy address; PostgreSQL by URL")
    lang: Literal["es", "en"] = Field(default="es", description="of the command line, and of pages not asked otherwise")
    languages: tuple[str, ...] = Field(default=("es", "en", "pt"), description="the languages that are told apart")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    threads: int = Field(default=4, ge=1, le=64, description="of the pool that collects and tags")
    dask: str = Field(default="", description="address of a Dask scheduler (tcp://…) in place of threads")
    reddit: RedditKeys = RedditKeys()
    keys: dict[str, dict[str, SecretStr]] = Field(
        default={}, description="credentials by source and name, as docs/sources names them: keys.youtube.api_key"
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="encrypts keys entered in the page; empty: made in the file secret_file"
    )
    secret_file: str = Field(default="data/secret.key", description="readable by its owner alone")
    budget: float = Field(default=10.0, ge=0, description="US dollars a month for a paid source without one of its own")
    nlp: Nlp = Nlp()
    models: dict[str, Any] = Field(default={}, description="until 0.1, in place of nlp: refused with the new name")
    web: Web = Web()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed wins over the environment, and the environment over escucha.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """The settings in force. Raises ConfigError naming the setting that is off, never its value."""
    try:
        return _with_new_names(Settings())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError("The setting {name} is off: {reason}.", name=name, reason=first["msg"]) from None
    except ValueError as error:
        raise ConfigError("The file {file} cannot be read: {reason}.", file="escucha.toml", reason=str(error)) from None


def _with_new_names(settings: Settings) -> Settings:
    for old in settings.models:
        raise ConfigError(
            "The setting {old} is called {new} now. Change its name in escucha.toml or the environment.",
            old=f"models.{old}", new=f"nlp.{old}.model",
        )
    return settings
