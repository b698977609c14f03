"""Renew the MANUAL instances that expire within DAYS days, for one month, at the quoted price.

pip install 'gql[httpx]'
python renew.py URL KEY DAYS
"""

import hashlib
import sys
from typing import Any

import gql
from gql.transport.httpx import HTTPXTransport

EXPIRING = gql.gql("""
query ($days: Int!) {
  instances(filter: {expiresWithinDays: $days, tab: MANUAL, bundled: false}, first: 1000) { nodes { id } }
}""")
QUOTE = gql.gql("""
query ($ids: [ID!]!) {
  quoteRenewal(input: {selection: {ids: $ids}, months: 1}) {
    total lines(first: 1000) { instanceId startsAt } refusalCount
  }
}""")
RENEW = gql.gql("""
mutation ($input: RenewInstancesInput!) {
  renewInstances(input: $input) {
    __typename
    ... on RenewInstancesSuccess { order { total } account { balance } }
    ... on Error { message }
  }
}""")


def main(url: str, key: str, days: int) -> int:
    """Renew the instances, print the result, and return the exit code."""
    client = gql.Client(transport=HTTPXTransport(url, headers={"Authorization": f"Bearer {key}"}))

    def ask(document: gql.GraphQLRequest, **variables: Any) -> dict[str, Any]:
        document.variable_values = variables
        return client.execute(document)

    ids = [instance["id"] for instance in ask(EXPIRING, days=days)["instances"]["nodes"]]
    if not ids:
        print("nothing expires")
        return 0
    quote = ask(QUOTE, ids=ids)["quoteRenewal"]
    lines = quote["lines"]
    print(f"{len(lines)} instances for {quote['total']}, {quote['refusalCount']} refused")

    # The same periods have the same key, so a repeated run, even after a lost response, does not pay twice.
    periods = sorted(f"{line['instanceId']} {line['startsAt']}" for line in lines)
    wish = {
        "selection": {"ids": [line["instanceId"] for line in lines]},
        "months": 1,
        "expectedTotal": quote["total"],
        "idempotencyKey": hashlib.sha256("\n".join(periods).encode()).hexdigest(),
    }
    result = ask(RENEW, input=wish)["renewInstances"]
    if result["__typename"] != "RenewInstancesSuccess":
        print(f"{result['__typename']}: {result['message']}", file=sys.stderr)
        return 1
    print(f"order of {result['order']['total']}, balance {result['account']['balance']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
