#!/usr/bin/env bash
# That release and no other: 0 where it has the traffic already, 3 where it was never prepared, which ends the deployment.
set -euo pipefail
revision=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
exec bluegreen --config /etc/bluegreen/webservice.toml promote "$(cat "$revision/release.txt")" --wait
