#!/usr/bin/env bash
# Build the articles, check the site, publish it, and check what readers get.
#
# BUCKET     where to publish, as s3://bucket/prefix, or a folder; without it the site is built and
#            checked only. Artifacts are kept there too, so that no run computes again what another
#            has computed.
# ARTICLES   the scripts (default: all *.py files here that have cells, # %%)
# RELEASE    show this release again instead, of those that were published: nothing is built
# PUBLIC     "yes" lets everyone read the published site
# ENDPOINT_URL  of a server other than AWS; credentials are found where boto3 finds them
# PYTHON     the interpreter (default: python)
set -euo pipefail
cd "$(dirname "$0")"

python="${PYTHON:-python}"
server=()
if [ -n "${ENDPOINT_URL:-}" ]; then server=(--endpoint-url "$ENDPOINT_URL"); fi
public=()
if [ "${PUBLIC:-}" = yes ]; then public=(--public); fi

report() { "$python" -m report "$@"; }

if [ -n "${RELEASE:-}" ]; then
  report publish "${BUCKET:?says where the release is}/site" --release "$RELEASE" ${server[@]+"${server[@]}"}
  exit
fi

shopt -s nullglob
articles=()
if [ -n "${ARTICLES:-}" ]; then
  read -ra articles <<<"$ARTICLES"
else
  for file in *.py; do
    if grep -qE '^# ?%%' "$file"; then articles+=("$file"); fi
  done
fi
if [ ${#articles[@]} = 0 ]; then
  echo "no *.py file here has cells (# %%); name the articles in ARTICLES" >&2
  exit 1
fi

if [ -z "${BUCKET:-}" ]; then
  report build "${articles[@]}" --only
  report verify site
  exit
fi

report build "${articles[@]}" --only --store "$BUCKET/artifacts" ${server[@]+"${server[@]}"}
report verify site
report publish "$BUCKET/site" ${public[@]+"${public[@]}"} ${server[@]+"${server[@]}"}
report verify "$BUCKET/site" ${server[@]+"${server[@]}"}
