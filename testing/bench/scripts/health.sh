#!/usr/bin/env bash

ABSPATH=$(readlink -f $0)
ABSDIR=$(dirname $ABSPATH)
source ${ABSDIR}/profile.sh
source ${ABSDIR}/switch.sh

IDLE_PORT=$(find_idle_port)

echo "> Health Check Start!"
echo "> IDLE_PORT: $IDLE_PORT"
echo "> curl -s http://localhost:$IDLE_PORT/profile "
sleep 10

for RETRY_COUNT in {1..10}
do
  RESPONSE=$(curl -s http://localhost:${IDLE_PORT}/profile)
  UP_COUNT=$(echo ${RESPONSE} | grep 'real' | wc -l)

  if [ ${UP_COUNT} -ge 1 ]
  then # $up_count >= 1 (the answer contains "real")
      echo "> Health check succeeded"
      BENCH_BEGIN=${EPOCHREALTIME/[.,]/} # MEASURE
      switch_proxy
      echo "switch_us $(( ${EPOCHREALTIME/[.,]/} - BENCH_BEGIN ))" # MEASURE
      break
  else
      echo "> The answer of the health check is unknown, or the application is not running."
      echo "> Health check: ${RESPONSE}"
  fi

  if [ ${RETRY_COUNT} -eq 10 ]
  then
    echo "> Health check failed. "
    echo "> Ending the deploy without connecting nginx."
    exit 1
  fi

  echo "> Health check could not connect. Trying again..."
  sleep 10
done
