import pytest

from connector_service.settings import SettingsFaults, judge
from connector_service.settings.leaks import has_secret, looks_secret
from tests.unit.settings.systems_for_tests import SMALL, SYSTEMS


@pytest.mark.parametrize(
    "name",
    ["password", "Password", "db_password", "pwd", "token", "access_token", "refresh-token", "refreshToken",
     "client_secret", "clientSecret", "api_key", "apikey", "API-KEY", "subscription_key", "private_key", "credentials",
     "client_id", "username"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["token_url", "auth_url", "url", "key", "party_id", "secretary", "passwords_file", "company"]
)
def test_names_of_no_secrets(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:hunter2@db/shop",
        "mysql+pymysql://app:hun%40ter2@db/shop",
        "postgresql://app:hun/ter2@db/shop",
        "postgresql://app:hun#ter2@db:5432/shop",
        "postgresql://app:hun@ter2@db/shop",
        "postgresql://:hunter2@db/shop",
        "https://api.example.com/v1?api_key=hunter2",
        "https://api.example.com/v1?a=b&access_token=hunter2",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BODBC+Driver+18%7D%3BSERVER%3Ddb%3BUID%3Dapp%3BPWD%3Dhunter2",
        "mssql+pyodbc:///?odbc_connect=DRIVER={x};PWD=hunter2;UID={username}",
        "postgresql://[::1:hunter2@db/",
    ],
)
def test_addresses_with_a_secret(url: str) -> None:
    assert has_secret(url)
    text = SMALL.replace("sqlite:///shop.db", url)
    with pytest.raises(SettingsFaults) as caught:
        judge(text, "x", SYSTEMS)
    (fault,) = caught.value.faults
    assert (fault.place, fault.line) == ("routes.main.source.url", 3)
    assert "connector secret set main password" in fault.fix
    assert "{password}" in fault.fix
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///shop.db",
        "sqlite:////home/a@b/c:d/shop.db",
        "postgresql://app@db:5432/shop",
        "postgresql://{username}:{password}@db:5432/shop",
        "mssql+pyodbc://user:{password}@host/db?driver=ODBC+Driver+18+for+SQL+Server&TrustServerCertificate=yes",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BODBC+Driver+18%7D%3BUID%3D{username}%3BPWD%3D{password}",
        "https://api.example.com:8443/v1/a@b",
        "http://localhost:8080/token",
    ],
)
def test_addresses_without_a_secret(url: str) -> None:
    assert not has_secret(url)
    assert judge(SMALL.replace("sqlite:///shop.db", url), "x", SYSTEMS).source_section("main")["url"] == url


@pytest.mark.parametrize("key", ["password", "username", "api_key", "accessToken"])
def test_a_key_for_a_secret_is_sent_to_the_vault_and_its_value_not_shown(key: str) -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge(SMALL.replace('system = "sql"', f'system = "sql"\n{key} = "hunter2"'), "x", SYSTEMS)
    (fault,) = caught.value.faults
    assert fault.line == 3
    assert f"connector secret set main {key}" in fault.fix
    assert "hunter2" not in str(caught.value)


def test_what_the_system_declares_decides() -> None:
    clock = '[routes.c.source]\nsystem = "clock"\n{}\n[routes.c.target]\nsystem = "journal"\n'
    judge(clock.format('page_token = "plain"'), "x", SYSTEMS)
    with pytest.raises(SettingsFaults, match="connector secret set c pin"):
        judge(clock.format("pin = 1234"), "x", SYSTEMS)


@pytest.mark.parametrize(
    "line",
    ['passwort = "hunter2"', 'url = ["hunter2"]', 'folder = {a = "hunter2"}', 'party_id = 20260101',
     'api_url = "hunter2'],
)  # fmt: skip
def test_a_fault_shows_no_value_of_a_system_section(line: str) -> None:
    with pytest.raises(SettingsFaults) as caught:
        judge(SMALL.replace('url = "sqlite:///shop.db"', line), "x", SYSTEMS)
    assert "hunter2" not in str(caught.value)
    assert "20260101" not in str(caught.value)
