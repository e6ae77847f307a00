# Source this: builds fake-gcs-server, an emulator of Google Cloud Storage, and tells the tests where it is, which start
# it themselves. Needs Go; fails where it cannot be built.
# shellcheck shell=bash

mlv_gcs_server_build() {
  local version=v1.56.1 bin
  bin="${SCRATCH:-$(mktemp -d)}/gcs-server"
  mkdir -p "$bin"
  if [[ ! -x "$bin/fake-gcs-server" ]]; then
    GOBIN="$bin" go install "github.com/fsouza/fake-gcs-server@$version" || return 1
  fi
  export MLV_TEST_FAKE_GCS="$bin/fake-gcs-server"
  echo "fake-gcs-server $version is at $MLV_TEST_FAKE_GCS"
}

mlv_gcs_server_build
