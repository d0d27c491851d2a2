#!/usr/bin/env bash
# Builds the app as a jar:  build.sh VERSION FILE.jar
# Exit 77: no JDK here.
set -euo pipefail

version=${1:?usage: build.sh VERSION FILE.jar}
jar=${2:?usage: build.sh VERSION FILE.jar}

for tool in javac jar; do
    if ! command -v "$tool" >/dev/null; then
        echo "SKIPPED: no $tool here, install a JDK (17 or newer)" >&2
        exit 77
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
javac --release 17 -d "$work/classes" "$(dirname "$0")/App.java"
printf 'Main-Class: shop.App\nImplementation-Version: %s\n' "$version" >"$work/manifest"
jar --create --file "$jar" --manifest "$work/manifest" -C "$work/classes" .
