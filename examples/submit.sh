#!/bin/sh
# Sends one file of a ministry's register, and prints the receipt (or the findings: row, column and rule).
#
#   HALFLIGHT_TOKEN=hl_submitter_... examples/submit.sh http://127.0.0.1:8080 residence 2026-Q1 residence.csv
#
# The token is read from the environment and never stands on a command line, where other users could see it. If the
# connection breaks, run the same line again with IDEMPOTENCY_KEY set to the key printed: the file is counted once.
set -eu

[ $# -eq 4 ] || { echo "usage: $0 URL DATASET PERIOD FILE.csv|FILE.ndjson" >&2; exit 2; }
[ -n "${HALFLIGHT_TOKEN:-}" ] || { echo "$0: set HALFLIGHT_TOKEN to a submitter's token" >&2; exit 2; }
url=$1 dataset=$2 period=$3 file=$4

case $file in
    *.ndjson | *.ndjson.gz | *.ndjson.zst) type=application/x-ndjson ;;
    *) type=text/csv ;;
esac
case $file in
    *.gz) encoding=gzip ;;
    *.zst) encoding=zstd ;;
    *) encoding= ;;
esac
key=${IDEMPOTENCY_KEY:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
digest=$(openssl dgst -sha256 -binary "$file" | openssl base64 -A) # RFC 9530: of the bytes as sent
echo "IDEMPOTENCY_KEY=$key" >&2

{
    printf 'Authorization: Bearer %s\n' "$HALFLIGHT_TOKEN"
    [ -z "$encoding" ] || printf 'Content-Encoding: %s\n' "$encoding"
} |
    curl --silent --show-error --fail-with-body --header @- \
        --header "Content-Type: $type" \
        --header "Content-Digest: sha-256=:$digest:" \
        --header "Idempotency-Key: $key" \
        --upload-file "$file" --request POST \
        "$url/v1/datasets/$dataset/submissions?period=$period"
echo
