"""What the user sets, in ``connector.toml``: read and judged by ``load``, changed by ``save``."""

from connector_service.settings.faults import Fault, SettingsFaults
from connector_service.settings.load import Loaded, judge, load
from connector_service.settings.schema import Options, Route, Service, Settings, Source, Sync, Target
from connector_service.settings.systems import Systems

__all__ = [
    "Fault",
    "Loaded",
    "Options",
    "Route",
    "Service",
    "Settings",
    "SettingsFaults",
    "Source",
    "Sync",
    "Systems",
    "Target",
    "judge",
    "load",
]
