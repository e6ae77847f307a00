#!/usr/bin/env bash
# Packs mlv, installs the tarball elsewhere with production dependencies only, and does the main job with it:
# add, push to a directory, clone, pull, compare. Called by .ci/run; needs `npm ci` done.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

cd "$root"
npm pack --silent --pack-destination "$scratch" >/dev/null
tarball="$(ls "$scratch"/*.tgz)"
version="$(node -p 'require("./package.json").version')"

echo '--- contents'
tar -tzf "$tarball" | sort >"$scratch/contents"
wc -l <"$scratch/contents"
if grep -vE '^package/((bin|dist|docs/formats)/.+|docs/[a-z-]+\.md|python/mlv_log\.py|README\.md|LICENSE|package\.json)$' "$scratch/contents"; then
  echo 'the files above do not belong into the package' >&2
  exit 1
fi
for wanted in bin/mlv.js bin/package.json dist/cli/package.json dist/cli/{start,main,push-worker,fetch-worker,write-worker}.js dist/help.txt dist/THIRD-PARTY-LICENCES.txt python/mlv_log.py README.md LICENSE package.json; do
  grep -qx "package/$wanted" "$scratch/contents" || { echo "the package lacks $wanted" >&2 && exit 1; }
done
grep -q '^package/docs/formats/' "$scratch/contents" || { echo 'the package lacks docs/formats' >&2 && exit 1; }

echo '--- install'
mkdir "$scratch/elsewhere" "$scratch/home"
cd "$scratch/elsewhere"
npm init --yes >/dev/null
npm install --omit=dev --ignore-scripts "$tarball"
for tool in typescript vitest tsx @biomejs/biome; do
  if [[ -e "node_modules/$tool" ]]; then echo "$tool came along" >&2 && exit 1; fi
done

export HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/home/.config" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=CI GIT_AUTHOR_EMAIL=ci@example.com GIT_COMMITTER_NAME=CI GIT_COMMITTER_EMAIL=ci@example.com
export PATH="$scratch/elsewhere/node_modules/.bin:$PATH"
hashes() { (cd "$1" && find data models -type f ! -name '.gitignore' ! -name '*.mlv' -print0 | sort -z | xargs -0 sha256sum); }
[[ "$(mlv --version)" == "$version" ]]
mlv version
mlv --help >/dev/null

echo '--- add and push'
git init --quiet --initial-branch=main "$scratch/one"
cd "$scratch/one"
cp -R "$root/fixtures/data" "$root/fixtures/models" .
mlv init
mlv add data models/model.pkl
git add --all
git commit --quiet --message 'Track the data and the model'
mlv remote add storage "$scratch/storage"
git add --all
git diff --cached --quiet || git commit --quiet --message 'Add the remote'
mlv push
mlv push

echo '--- clone and pull'
git clone --quiet "$scratch/one" "$scratch/two"
cd "$scratch/two"
if [[ -e data/digits.csv ]]; then echo 'the data went into Git' >&2 && exit 1; fi
mlv pull
mlv status --exit-code
mlv fsck --remote
hashes "$scratch/one" >"$scratch/hashes-one"
hashes "$scratch/two" >"$scratch/hashes-two"
diff "$scratch/hashes-one" "$scratch/hashes-two"
[[ "$(wc -l <"$scratch/hashes-one")" -gt 200 ]]
[[ -z "$(git status --porcelain)" ]]
echo "$(wc -l <"$scratch/hashes-two") files have the same sha256 in both clones"
