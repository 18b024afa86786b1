#!/bin/sh
# The browser tests need Chromium; install Debian's where we may, else they skip and say so.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests…"
  { apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-noto-color-emoji; } >/dev/null 2>&1 \
    || echo "Chromium could not be installed; the browser tests will be skipped."
else
  echo "Chromium is not installed; the browser tests will be skipped (apt-get install chromium)."
fi
