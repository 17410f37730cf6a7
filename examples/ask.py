#!/usr/bin/env python3
"""Asks one table: first what it would cost and how exact it would be, then the table itself.

    HALFLIGHT_TOKEN=hl_analyst_... examples/ask.py http://127.0.0.1:8080 residence \
        --purpose treaty_body --by adm1,sex --where citizenship=non_citizen --period 2026 --spend rho=0.01

Only the standard library is needed. The quote touches no data and costs nothing; the table is paid for once, however
often it is asked again. Exit codes: 0 done, 1 refused, 2 usage.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request


def main():
    arguments = parse()
    token = os.environ.get("HALFLIGHT_TOKEN")
    if not token:
        sys.exit("set HALFLIGHT_TOKEN to an analyst's token")
    question = {
        "dataset": arguments.dataset,
        "purpose": arguments.purpose,
        "measures": [{"kind": "persons"}],
        "by": arguments.by.split(","),
        "where": {column: codes.split("|") for column, codes in (pair.split("=", 1) for pair in arguments.where)},
        "periods": arguments.period,
        "margins": arguments.margins,
        "spend": dict([spend(arguments.spend)]),
    }
    quote = post(arguments.url, "/v1/quotes", question, token)
    if not quote["allowed"]:
        refuse(quote.get("refusal") or quote)
    print(f"cost {quote['cost']}; half-width of the 95 % intervals, in persons: {quote['moe']}", file=sys.stderr)
    if not arguments.yes and input("ask it? [y/N] ").strip().lower() != "y":
        sys.exit(1)
    show(post(arguments.url, "/v1/releases", question, token))


def parse():
    parser = argparse.ArgumentParser(description="Asks one table of Halflight.")
    parser.add_argument("url")
    parser.add_argument("dataset")
    parser.add_argument("--purpose", required=True)
    parser.add_argument("--by", required=True, help="columns, with commas between them")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=CODE|CODE")
    parser.add_argument("--period", action="append", required=True)
    parser.add_argument("--spend", default="moe=25", help="rho=0.01, epsilon=0.5 or moe=25 (persons)")
    parser.add_argument("--margins", action="store_true", help="all totals too")
    parser.add_argument("--yes", action="store_true", help="do not ask before paying")
    return parser.parse_args()


def spend(text):
    """Amounts of privacy are decimal text; a margin of error is a number."""
    kind, _, amount = text.partition("=")
    return kind, float(amount) if kind == "moe" else amount


def post(url, path, body, token):
    request = urllib.request.Request(
        url + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        refuse(json.load(error))


def refuse(problem):
    """Says why not, and what would be allowed."""
    print(f"refused: {problem.get('code')}: {problem.get('detail')}", file=sys.stderr)
    for alternative in problem.get("alternatives", []):
        print(f"  allowed: {json.dumps(alternative)}", file=sys.stderr)
    sys.exit(1)


def show(release):
    """One line a cell: its codes (_T is a total), the figure, its 95 % interval, and U where it is unreliable."""
    columns = [dimension["id"] for dimension in release["dimensions"]]
    print("\t".join([*columns, "measure", "value", "low", "high", "status"]))
    for cell in release["cells"]:
        figures = [cell.get("value"), cell.get("low"), cell.get("high")]
        written = [cell["reason"] if cell["status"] == "Q" else "", "", ""]
        shown = [str(figure) if figure is not None else word for figure, word in zip(figures, written)]
        print("\t".join([*(cell["key"][column] for column in columns), cell["measure"], *shown, cell["status"]]))
    print(f"{release['id']}, leaf {release.get('log_index')} of the log", file=sys.stderr)


if __name__ == "__main__":
    main()
