#!/bin/sh
# make-bucket URL BUCKET: makes a bucket unless it is there. Speaks plain S3 with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
# AWS_REGION, so that it serves every server.
set -eu
status=$(curl --silent --show-error --output /dev/null --write-out '%{http_code}' \
    --retry 10 --retry-connrefused --aws-sigv4 "aws:amz:${AWS_REGION:-us-east-1}:s3" \
    --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    --request PUT "$1/$2")
case $status in
200) echo "made the bucket $2" ;;
409) echo "the bucket $2 is there" ;;
*) echo "the server answered $status for the bucket $2" >&2; exit 1 ;;
esac
