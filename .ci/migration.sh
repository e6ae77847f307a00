# Source this: makes repositories with the real DVC (3.x and 2.x) and the real git-lfs, and tells the tests where they are.
# Fails where the tools are not to be had.
# shellcheck shell=bash

migration_tools() {
  local tools="$SCRATCH/migration"
  mkdir -p "$tools"
  python3 -m venv "$tools/dvc-3" && "$tools/dvc-3/bin/pip" install --quiet 'dvc==3.67.1' || return 1
  if ! git lfs version > /dev/null 2>&1; then
    apt-get update -qq && apt-get install --yes -qq --no-install-recommends git-lfs || return 1
  fi
  git lfs version
  bash fixtures/make/migration-dvc.sh "$tools/dvc-3/bin/dvc" "$tools/dvc" || return 1
  bash fixtures/make/migration-lfs.sh "$tools/lfs" || return 1
  export MLV_TEST_DVC_FRESH="$tools/dvc" MLV_TEST_LFS_FRESH="$tools/lfs" MLV_TEST_GIT_LFS=1
}

migration_tools
