#!/bin/sh
# Collects every message of pages, charts and errors, and brings the Spanish catalogue up to date (make catalog).
set -eu
cd "$(dirname "$0")/../.."
babel=${PYBABEL:-.venv/bin/pybabel}
template=$(mktemp)
trap 'rm -f "$template"' EXIT
"$babel" -q extract -F api/dashboard/locales/babel.cfg --no-location --sort-output --omit-header \
    -k say -k progress -k say_many:1,2 -k help_text -k EscuchaError -k NotFound -k Conflict -k Invalid -k ConfigError -k SourceError \
    -k TryLater -k Note -k Refused -k Unreadable -k ModelError \
    -o "$template" api collectors config escucha nlp pipeline store
mkdir -p api/dashboard/locales/es/LC_MESSAGES
catalogue=api/dashboard/locales/es/LC_MESSAGES/escucha.po
[ -e "$catalogue" ] || "$babel" -q init -i "$template" -o "$catalogue" -l es
"$babel" -q update -i "$template" -o "$catalogue" -l es --no-fuzzy-matching --width 100 --ignore-obsolete --ignore-pot-creation-date
