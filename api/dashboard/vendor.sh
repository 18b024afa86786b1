#!/bin/sh
# Refreshes static/vendor from the npm packages pinned in package.json; the lock keeps no registry's address.
set -eu
cd "$(dirname "$0")"
npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund)
rm -rf static/vendor
mkdir -p static/vendor
cp "$work/node_modules/vega/build/vega.min.js" \
   "$work/node_modules/vega-lite/build/vega-lite.min.js" \
   "$work/node_modules/vega-embed/build/vega-embed.min.js" \
   "$work/node_modules/@picocss/pico/css/pico.min.css" static/vendor/
for package in vega vega-lite vega-embed @picocss/pico; do
    for licence in "$work/node_modules/$package"/LICENSE*; do
        cp "$licence" "static/vendor/LICENSE.$(basename "$package").txt"
    done
done
sed -i '/^\/\/# sourceMappingURL=/d' static/vendor/*.js
