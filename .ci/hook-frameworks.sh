# Source this: installs pre-commit and lefthook, whose snippets in docs/hooks.md the tests carry out, and tells the tests
# where they are. Fails where the packages are not to be had.
# shellcheck shell=bash

mlv_hook_frameworks() {
  local directory
  directory="${SCRATCH:-$(mktemp -d)}/hook-frameworks"
  if [[ ! -e "$directory/ready" ]]; then
    python3 -m venv "$directory/python" || return 1
    "$directory/python/bin/pip" install --quiet 'pre-commit==4.7.0' || return 1
    mkdir -p "$directory/node"
    (cd "$directory/node" && echo '{"private": true}' >package.json &&
      npm install --ignore-scripts --no-audit --no-fund --silent 'lefthook@2.2.2') || return 1
    touch "$directory/ready"
  fi
  export MLV_TEST_PRE_COMMIT="$directory/python/bin/pre-commit"
  MLV_TEST_LEFTHOOK="$(echo "$directory"/node/node_modules/lefthook-*/bin/lefthook)"
  export MLV_TEST_LEFTHOOK
  "$MLV_TEST_PRE_COMMIT" --version
  echo "lefthook $("$MLV_TEST_LEFTHOOK" version)"
}

mlv_hook_frameworks
