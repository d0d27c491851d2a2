#!/usr/bin/env bash

ABSPATH=$(readlink -f $0)
ABSDIR=$(dirname $ABSPATH)
source ${ABSDIR}/profile.sh

function switch_proxy() {
    IDLE_PORT=$(find_idle_port)

    echo "> port to switch to: $IDLE_PORT"
    echo "> switching the port"
    # ADAPTED: no sudo, and $BENCH_INCLUDE instead of /etc/nginx/conf.d/service-url.inc
    echo "set \$service_url http://127.0.0.1:${IDLE_PORT};" | tee ${BENCH_INCLUDE}

    echo "> reloading nginx"
    ${BENCH_RELOAD} # ADAPTED: sudo service nginx reload
}
