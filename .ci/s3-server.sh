# Source this: builds versitygw (an S3 gateway over a directory, used in production), starts it on a free port of
# loopback and exports what the tests need to find it. It checks signatures and preconditions, which the emulator of
# `npm test` does not. Needs Go; fails where it cannot be built or does not start. It is a job of the shell that sources
# this, which ends it; the process id is in MLV_TEST_S3_PID. Everything it writes is below $SCRATCH or a new directory.
# shellcheck shell=bash

mlv_s3_server_start() {
  local version=v1.8.0 root port tries
  root="${SCRATCH:-$(mktemp -d)}/s3-server"
  mkdir -p "$root/bin" "$root/data" "$root/sidecar"
  if [[ ! -x "$root/bin/versitygw" ]]; then
    GOBIN="$root/bin" go install "github.com/versity/versitygw/cmd/versitygw@$version" || return 1
  fi
  port="$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')" || return 1

  MLV_TEST_S3_ACCESS_KEY="mlvtest$RANDOM$RANDOM"
  MLV_TEST_S3_SECRET_KEY="$(node -p 'require("node:crypto").randomBytes(20).toString("hex")')" || return 1
  ROOT_ACCESS_KEY="$MLV_TEST_S3_ACCESS_KEY" ROOT_SECRET_KEY="$MLV_TEST_S3_SECRET_KEY" \
    "$root/bin/versitygw" --quiet --keep-alive --port "127.0.0.1:$port" \
    posix --sidecar "$root/sidecar" "$root/data" >"$root/log" 2>&1 &
  MLV_TEST_S3_PID=$!

  MLV_TEST_S3_ENDPOINT="http://127.0.0.1:$port"
  MLV_TEST_S3_STRICT=1
  for ((tries = 0; tries < 100; tries++)); do
    if ! kill -0 "$MLV_TEST_S3_PID" 2>/dev/null; then break; fi
    # Any answer will do; without credentials it is a refusal.
    if node -e 'fetch(process.argv[1]).then(() => process.exit(0), () => process.exit(1))' "$MLV_TEST_S3_ENDPOINT"; then
      export MLV_TEST_S3_ENDPOINT MLV_TEST_S3_ACCESS_KEY MLV_TEST_S3_SECRET_KEY MLV_TEST_S3_STRICT MLV_TEST_S3_PID
      echo "versitygw $version answers at $MLV_TEST_S3_ENDPOINT"
      return 0
    fi
    sleep 0.1
  done
  echo 'versitygw did not start:' >&2
  cat "$root/log" >&2
  unset MLV_TEST_S3_ENDPOINT
  return 1
}

mlv_s3_server_start
