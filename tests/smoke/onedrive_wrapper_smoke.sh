#!/usr/bin/env bash
# The wrapper from end to end on a local stand-in for OneDrive: serves a throwaway remote as S3, uploads and
# downloads through boto3, and looks at the result through rclone.
# Usage: onedrive_wrapper_smoke.sh [folder|onedrive]; the remote is a folder (the default) or a simulated OneDrive.
set -euo pipefail

kind=${1:-folder}
case $kind in
folder | onedrive) ;;
*)
  echo "usage: $0 [folder|onedrive]" >&2
  exit 2
  ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
host=127.0.0.1
port=9900
bucket=onedrive-smoke
access_key=smoke-access
secret_key=smoke-secret
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=node
python=${OVERCOAT_TEST_PYTHON:-python3}
rclone=$(command -v "${OVERCOAT_TEST_RCLONE:-rclone}") || rclone=

work=$(mktemp -d "${TMPDIR:-/tmp}/overcoat-smoke.XXXXXX")
gateway=
helpers=()

cleanup() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$gateway" ]; then
    kill "$gateway" 2>/dev/null || true
    for _ in $(seq 100); do
      kill -0 "$gateway" 2>/dev/null || break
      sleep 0.1
    done
    # It had its time to drain.
    if kill -KILL "$gateway" 2>/dev/null; then
      echo "[smoke] the gateway did not stop by itself" >&2
      [ "$status" -ne 0 ] || status=1
    fi
    wait "$gateway" 2>/dev/null || true
  fi
  for helper in "${helpers[@]}"; do
    kill "$helper" 2>/dev/null || true
    wait "$helper" 2>/dev/null || true
  done
  if [ "$status" -ne 0 ] && [ -s "$work/gateway.log" ]; then
    echo "[smoke] the gateway said:" >&2
    tail -n 50 "$work/gateway.log" >&2
  fi
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "[smoke] $*" >&2
  exit 1
}

listening() {
  (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null
}

[ -n "$rclone" ] || fail "rclone is not installed: apt-get install rclone"
if listening; then
  fail "port $port is in use"
fi

# The remote, and nothing of the user's own settings.
while IFS='=' read -r name _; do
  case $name in AWS_* | RC_S3_* | RCLONE_*) unset "$name" ;; esac
done < <(env)
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export NO_PROXY="$host" no_proxy="$host"
export RCLONE_CONFIG="$work/rclone.conf"
mkdir "$work/onedrive" "$work/data"
overcoat=$root/packages/cli/bin/overcoat.js

# Waits until a helper has printed a line with this text.
printed() {
  for _ in $(seq 300); do
    grep -q "$2" "$1" 2>/dev/null && return
    sleep 0.1
  done
  cat "$1" >&2
  fail "the stand-in did not start"
}

if [ "$kind" = onedrive ]; then
  (
    cd "$work"
    exec "$node" "$overcoat" simulate onedrive --name onedrive-smoke --config "$RCLONE_CONFIG"
  ) >"$work/simulator.log" 2>&1 </dev/null &
  helpers+=($!)
  printed "$work/simulator.log" "has it as onedrive-smoke:"
  # rclone asks for graph.microsoft.com.
  "$node" "$root/tests/smoke/proxy.ts" "$(sed -n 's/^Simulating OneDrive on //p' "$work/simulator.log")" \
    >"$work/proxy.log" 2>&1 </dev/null &
  helpers+=($!)
  printed "$work/proxy.log" "^http"
  read -r proxy authority <"$work/proxy.log"
  rclone() {
    HTTPS_PROXY=$proxy SSL_CERT_FILE=$authority "$rclone" "$@"
  }
else
  printf '[onedrive-smoke]\ntype = alias\nremote = %s\n' "$work/onedrive" >"$RCLONE_CONFIG"
  rclone() {
    "$rclone" "$@"
  }
fi
rclone lsd onedrive-smoke: >/dev/null || fail "the remote onedrive-smoke is not addressable"

echo "[smoke] starting overcoat serve s3 on port $port"
(
  cd "$work"
  exec "$node" "$overcoat" serve s3 onedrive-smoke: \
    --addr "$host:$port" --auth-key "$access_key,$secret_key" --data "$work/data"
) >"$work/gateway.log" 2>&1 </dev/null &
gateway=$!
for _ in $(seq 300); do
  listening && break
  kill -0 "$gateway" 2>/dev/null || break
  sleep 0.1
done
listening && kill -0 "$gateway" 2>/dev/null || fail "the gateway did not start"

echo "[smoke] ensuring boto3 dependency is available"
if ! "$python" -c 'import boto3' >/dev/null 2>&1; then
  venv=$root/.cache/venv
  if ! "$venv/bin/python3" -c 'import boto3' >/dev/null 2>&1; then
    "$python" -m venv "$venv" >"$work/venv.log" 2>&1 &&
      "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check boto3 >>"$work/venv.log" 2>&1 || {
      cat "$work/venv.log" >&2
      fail "boto3 could not be installed: apt-get install python3-venv, or python3-boto3"
    }
  fi
  python=$venv/bin/python3
fi

echo "[smoke] running boto3 smoke flow"
"$python" - "http://$host:$port" "$access_key" "$secret_key" "$bucket" "$work" <<'PYTHON'
import pathlib
import sys

import boto3

endpoint, access_key, secret_key, bucket, work = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    aws_access_key_id=access_key,
    aws_secret_access_key=secret_key,
    region_name="us-east-1",
)
payload = b"id,label\n1,cat\n2,dog\n3,horse\n"
assert len(payload) == 29
source = pathlib.Path(work, "train.csv")
target = pathlib.Path(work, "downloaded.csv")
source.write_bytes(payload)

s3.create_bucket(Bucket=bucket)
s3.upload_file(str(source), bucket, "datasets/train.csv")
s3.download_file(bucket, "datasets/train.csv", str(target))
if target.read_bytes() != payload:
    sys.exit("Smoke test payload differs")
listed = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
if listed != ["datasets/train.csv"]:
    sys.exit(f"Smoke test listing differs: {listed}")
print("Smoke test payload verified")
PYTHON

echo "[smoke] listing uploaded objects via rclone"
listing=$(rclone ls --exclude '.overcoat/**' "onedrive-smoke:$bucket")
echo "$listing"
[ "$listing" = "       29 datasets/train.csv" ] || fail "the listing differs"

echo "[smoke] smoke test complete"
