"""What can be set: config/tocsin.toml, then `TOCSIN_SECTION__KEY` in the environment, which wins.

Every setting has its default, its unit and its reason here. An unknown key, a wrong type or a value out of range stops
the start with the file, the key, what is wrong and what is allowed.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from alerts.errors import ConfigError

_LONGEST_FILE = 50_000_000  # bytes
Seconds = Annotated[float, Field(gt=0, le=86400 * 31)]
PerSecond = Annotated[float, Field(gt=0, le=10_000)]
Burst = Annotated[int, Field(ge=1, le=10_000)]


Nature = Literal["explainer", "opinion", "live_blog", "retrospective", "fixture", "sport", "soft"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(_Section):
    """Every request that leaves us."""

    user_agent: str = "Tocsin/0.1 (+https://github.com/tocsin-alerts/tocsin; news alerts)"
    contact: str = Field("", description="an address publishers can complain to; goes into the user agent")
    connect_timeout_s: Seconds = 5.0
    total_timeout_s: Seconds = 15.0  # an unfinished transfer is abandoned
    max_body_bytes: int = Field(5_000_000, ge=1000, le=100_000_000)
    max_ratio: float = Field(100.0, ge=2)  # decoded bytes per byte on the wire, above 64 KB
    max_redirects: int = Field(5, ge=0, le=20)
    max_per_host: int = Field(2, ge=1, le=32)  # connections to one host at once
    allow_networks: tuple[str, ...] = ()  # CIDRs the guard lets through, e.g. 127.0.0.0/8 in tests
    allow_ports: tuple[int, ...] = (80, 443)  # 0 in the list allows every port


class PollSettings(_Section):
    """How sources are asked."""

    tick_s: Seconds = 1.0  # beat's wake-up; a poll task claims what is due within the next tick
    batch: int = Field(50, ge=1, le=500)  # sources one claim takes
    lease_s: Seconds = 30.0  # a claimed source nobody finished is due again after this
    floor_s: Seconds = 60.0  # default of a source's floor
    ceiling_s: Seconds = 3600.0
    jitter: float = Field(0.1, ge=0, le=0.5)  # share of the interval added at random, so that sources spread
    is_adaptive: bool = True
    max_items: int = Field(1000, ge=1, le=10000)  # of one page; the rest is counted as a gap, never marked as seen
    stale_s: Seconds = 21600.0  # items published longer ago are not rung after a downtime
    downtime_s: Seconds = 1800.0  # no tick for this long is a downtime of ours


class SiftSettings(_Section):
    """Grouping and matching."""

    batch: int = Field(100, ge=1, le=1000)
    lease_s: Seconds = 3.0  # a standby sifter takes over after this
    story_window_s: Seconds = 259200.0  # 72 h: what later items may still join
    join_chance: float = Field(0.75, ge=0.3, le=0.99)  # how sure an item must be to join a story: the dial of docs/stories.md
    escalation_gap_s: Seconds = 300.0  # between two rings of one story, unless it became urgent, was corrected or is over
    max_attempts: int = Field(3, ge=1, le=20)  # claims of one item before it goes to the dead letters
    archive_items: int = Field(100_000, ge=0)
    archive_days: float = Field(7.0, gt=0, le=365)  # items sifted longer ago leave the archive: what previews and `alerts why` look at
    # These start no story that rings; a later item of the story may.
    silent_natures: tuple[Nature, ...] = ("explainer", "opinion", "live_blog", "retrospective", "fixture", "soft")
    semantic: bool = False  # compare headlines by sentence vectors too; needs the extra tocsin[semantic]
    guess_language: bool = False  # of texts in Latin letters that declare none; the classifier takes about 90 MB


class RulesSettings(_Section):
    """How much people may ask for; a query has limits of its own (length, operands, expressions)."""

    max_total: int = Field(100_000, ge=1, le=5_000_000)  # a million take about 250 MB of the sifting worker
    max_per_subscriber: int = Field(10_000, ge=1, le=5_000_000)


class DeliverSettings(_Section):
    """Sending."""

    lanes: int = Field(64, ge=1, le=256)  # channels one worker sends to at once by calls that block; a hanging one holds one
    transfers: int = Field(200, ge=1, le=200)  # channels it sends to at once by bare HTTP requests (webhooks)
    per_host: int = Field(100, ge=1, le=200)  # of these, to one host
    batch: int = Field(10, ge=1, le=500)  # deliveries taken from one channel at once; the most that can repeat after a kill
    timeout_s: Seconds = 15.0  # deadline of one send
    chunk: int = Field(500, ge=1, le=500)  # alerts written by one store call
    ttl_s: Seconds = 86400.0  # an alert nobody could be told of expires
    retries_s: tuple[float, ...] = (0.0, 5.0, 30.0, 120.0, 300.0, 900.0, 1800.0, 3600.0)  # the last one repeats
    digest_s: Seconds = 60.0  # a catch-up digest waits this long for more to tell
    ledger_days: int = Field(30, ge=1, le=365)
    urgent: int = Field(2, ge=0, le=5)  # up to this urgency a story's first deliveries go before all others; 0 = none do
    breaker_after: int = Field(5, ge=1, le=100)  # failures in a row after which a channel is only probed
    breaker_s: Seconds = 60.0  # seconds between two probes
    limits: dict[str, tuple[tuple[Literal["service", "host", "chat", "group"], PerSecond, Burst], ...]] = {}  # in place of the published


class TelegramSettings(_Section):
    """Channels tgram://."""

    base_url: str = Field("https://api.telegram.org", pattern=r"^https?://[^\s/?#]+$")  # or a Bot API server of one's own
    has_bot: bool = False  # a bot runs that answers the buttons under a message


class WebSettings(_Section):
    """The web process: /healthz and /metrics."""

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    public_url: str = Field("", pattern=r"^(https?://[^\s?#]+)?$")  # where readers reach it; mails offer one click to end them there


class WatchSettings(_Section):
    """The supervisor's and the sweep's patience."""

    sweep_s: Seconds = 2.0
    stall_s: Seconds = 30.0  # a worker without progress for this long is restarted
    stop_s: Seconds = 20.0  # grace for a clean stop
    clock_jump_s: Seconds = 30.0
    disk_free_mb: int = Field(200, ge=0)
    memory_mb: int = Field(512, ge=16)  # maxmemory of the embedded store
    ping_url: str = Field("", pattern=r"^(https?://\S+)?$")  # asked again and again while all is well: a dead man's switch
    ping_s: Seconds = 60.0


class Settings(BaseSettings):
    """The whole configuration; build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="TOCSIN_", env_nested_delimiter="__", extra="forbid", frozen=True, nested_model_default_partial_update=True
    )
    file: ClassVar[str] = "tocsin.toml"

    data_dir: Path = Field(default_factory=lambda: _default_data_dir())
    redis_url: str = ""  # empty = the embedded store; redis://, rediss:// or unix:///path?db=0
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    http: HttpSettings = HttpSettings()
    poll: PollSettings = PollSettings()
    sift: SiftSettings = SiftSettings()
    rules: RulesSettings = RulesSettings()
    deliver: DeliverSettings = DeliverSettings()
    telegram: TelegramSettings = TelegramSettings()
    web: WebSettings = WebSettings()
    watch: WatchSettings = WatchSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which `load_settings` hands in as init values."""
        return env_settings, init_settings


def _default_data_dir() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "tocsin"


def config_dir() -> Path:
    """The directory the TOML files are read from: TOCSIN_CONFIG_DIR, ./config, the one in the package, or beside it in a source tree."""
    named = os.environ.get("TOCSIN_CONFIG_DIR")
    if named:
        if not Path(named).is_dir():
            raise ConfigError(f"TOCSIN_CONFIG_DIR: {named} is not a directory; name one that holds {Settings.file}")
        return Path(named)
    package = Path(__file__).parent
    places = (Path("config"), package / "_config", package.parent / "config")
    return next((place for place in places if (place / Settings.file).is_file()), package / "_config")


def open_file(path: Path) -> BinaryIO:
    """A file that a person named, open for reading bytes; a pipe will do, a device has no end.

    Raises:
        ConfigError: There is none, it cannot be read, or is a directory or device.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise ConfigError(f"{path}: is a device; name a file")
        return path.open("rb")
    except (OSError, ValueError) as error:  # the second: a name no file can have
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}; name a file that can be read") from error


def read_file(path: Path, *, limit: int = _LONGEST_FILE) -> bytes:
    """The bytes of a file that a person named. Raises: ConfigError, as `open_file`, or when it is longer than the limit."""
    with open_file(path) as file:
        try:
            body = file.read(limit + 1)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name a file that can be read") from error
    if len(body) > limit:
        raise ConfigError(f"{path}: is longer than {limit // 1_000_000} MB")
    return body


def read_text(path: Path, *, limit: int = _LONGEST_FILE) -> str:
    """The text of a file that a person named. Raises: ConfigError, as `read_file`, or when it is not UTF-8."""
    try:
        return read_file(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ConfigError: The file cannot be read or is not TOML; names file, line and column.
    """
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def load_settings(directory: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from DIRECTORY/tocsin.toml and the environment.

    Raises:
        ConfigError: Names the file or variable, the key, what is wrong and what is allowed.
    """
    path = (directory or config_dir()) / Settings.file
    values = read_toml(path) if path.is_file() else {}
    _refuse_unknown_variables(os.environ if environ is None else environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError(_explain(error, path, values)) from error
    except SettingsError as error:  # a list or a section in the environment that is not JSON
        raise ConfigError(_explain_unreadable(error)) from error


_OTHER_VARIABLES = {"TOCSIN_CONFIG_DIR", "TOCSIN_WORKER_ID"}


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    for name in environ:
        if not name.startswith("TOCSIN_") or name in _OTHER_VARIABLES:
            continue
        keys = name.removeprefix("TOCSIN_").lower().split("__")
        if keys[0] not in Settings.model_fields:
            raise ConfigError(f"environment: {name} is no setting{_nearest(keys[0], Settings.model_fields)}")


def _explain(error: ValidationError, path: Path, values: Mapping[str, Any]) -> str:
    return "\n".join(_explain_one(dict(e), path, values) for e in error.errors())


def _explain_one(problem: dict[str, Any], path: Path, values: Mapping[str, Any]) -> str:
    keys = [str(k) for k in problem["loc"]]
    name = ".".join(keys)
    variable = "TOCSIN_" + "__".join(k.upper() for k in keys)
    where = f"environment: {variable}" if variable in os.environ else f"{path}: {name}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key{_nearest(keys[-1], _fields_at(keys[:-1]))}"
    given = repr(problem.get("input"))
    return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}, not {given if len(given) < 80 else given[:77] + '...'}"


def _explain_unreadable(error: SettingsError) -> str:
    given = getattr(error.__cause__, "doc", "")
    names = sorted(name for name, value in os.environ.items() if name.upper().startswith("TOCSIN_") and value == given)
    return f"environment: {', '.join(names) or error}: must be JSON, as [80, 443] or {{\"batch\": 9}}, not {given[:80]!r}"


def _fields_at(keys: list[str]) -> Mapping[str, object]:
    model: Any = Settings
    for key in keys:
        model = model.model_fields[key].annotation
    fields: Mapping[str, object] = model.model_fields
    return fields


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
