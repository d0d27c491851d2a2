#!/usr/bin/env bash
# release.txt has the version, and lies beside the jar in the revision; the second deployment has the same one.
set -euo pipefail
zip=/home/ec2-user/app/step3/zip
jars=("$zip"/*.jar)
[ "${#jars[@]}" = 1 ] || { echo "there must be one jar: ${jars[*]}"; exit 1; }
# --if-changed: where it has the traffic already there is nothing to do. --replace: a run before may have left something
exec bluegreen --config /etc/bluegreen/webservice.toml prepare "${jars[0]}" --version "$(cat "$zip/release.txt")" --if-changed --replace
