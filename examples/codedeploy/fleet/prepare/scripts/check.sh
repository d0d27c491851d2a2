#!/usr/bin/env bash
set -euo pipefail
exec bluegreen --config /etc/bluegreen/webservice.toml check
