#!/usr/bin/env bash

ABSPATH=$(readlink -f $0)
ABSDIR=$(dirname $ABSPATH)
source ${ABSDIR}/profile.sh

REPOSITORY=${BENCH_REPOSITORY} # ADAPTED: /home/ec2-user/app/step3

echo "> copying the build"
echo "> cp $REPOSITORY/zip/*.jar $REPOSITORY/"

cp $REPOSITORY/zip/*.jar $REPOSITORY/

echo "> deploying the new application"
JAR_NAME=$(ls -tr $REPOSITORY/*.jar | tail -n 1)

echo "> JAR Name: $JAR_NAME"

echo "> making $JAR_NAME executable"

chmod +x $JAR_NAME

echo "> running $JAR_NAME"

IDLE_PROFILE=$(find_idle_profile)

echo "> running $JAR_NAME with profile=$IDLE_PROFILE"
# ADAPTED: the command was `java -jar` with -Dspring.config.location=... -Dspring.profiles.active=$IDLE_PROFILE $JAR_NAME;
# here it is the same small app that the other contenders start, and the port, which Spring read from the profile's
# properties file, is an argument.
nohup ${BENCH_APP} \
    --profile $IDLE_PROFILE \
    --port $(find_idle_port) \
    --artifact $JAR_NAME > $REPOSITORY/nohup.out 2>&1 &
