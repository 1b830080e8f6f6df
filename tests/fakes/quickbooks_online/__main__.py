"""Serve the stand-in from a process of its own; the first line that it prints is a JSON object with where and how."""

import argparse
import json

from tests.fakes.quickbooks_online.server import FakeQuickBooks
from tests.fakes.quickbooks_online.signin import authority_for


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--realm", default="9130350000000001", help="the company's id")
    parser.add_argument("--country", default="US", choices=["US", "AU", "CA", "GB"], help="the company's country")
    chosen = parser.parse_args()
    fake = FakeQuickBooks(chosen.realm, chosen.country, authority=authority_for(chosen.realm), port=chosen.port)
    about = {"url": fake.url, "secret": fake.secret, "realm": fake.realm, "token": fake.token()}
    print(json.dumps(about), flush=True)
    fake.serve()


if __name__ == "__main__":
    main()
