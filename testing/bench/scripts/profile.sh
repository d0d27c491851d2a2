#!/usr/bin/env bash

# Bash has no return values: the last line echoes the result, and the caller takes that.

# Finds the idle profile: real2 when real1 is in use, and the other way round.
function find_idle_profile()
{
    # ADAPTED: $BENCH_FRONT instead of http://localhost
    RESPONSE_CODE=$(curl -s -o /dev/null -w "%{http_code}" ${BENCH_FRONT}/profile)

    if [ ${RESPONSE_CODE} -ge 400 ] # any error, 40x and 50x
    then
        CURRENT_PROFILE=real2
    else
        CURRENT_PROFILE=$(curl -s ${BENCH_FRONT}/profile) # ADAPTED: as above
    fi

    if [ ${CURRENT_PROFILE} == real1 ]
    then
      IDLE_PROFILE=real2
    else
      IDLE_PROFILE=real1
    fi

    echo "${IDLE_PROFILE}"
}

# Finds the port of the idle profile.
function find_idle_port()
{
    IDLE_PROFILE=$(find_idle_profile)

    if [ ${IDLE_PROFILE} == real1 ]
    then
      echo "${BENCH_PORT1}" # ADAPTED: 8081
    else
      echo "${BENCH_PORT2}" # ADAPTED: 8082
    fi
}
