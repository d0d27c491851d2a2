#!/usr/bin/env bash
# Every hook runs this; `bluegreen hook` sees in LIFECYCLE_EVENT which one it is.
set -euo pipefail
exec bluegreen --config /etc/bluegreen/webservice.toml hook
