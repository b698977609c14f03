"""Renew by hand and print the result as JSON: `python -m benchmarks.mutations URL CLIENTS ACCOUNTS WARM_UP SECONDS`."""

import json
import sys

import uvloop

from benchmarks.mutations import by_hand

url, clients, accounts, warm_up_seconds, seconds = sys.argv[1:]
measured = uvloop.run(by_hand.load(url, int(clients), int(accounts), float(warm_up_seconds), float(seconds)))
print(json.dumps(measured))
