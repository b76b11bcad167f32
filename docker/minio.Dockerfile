# MinIO, built from its last source: its makers publish no images any more. Five to ten minutes, once.

FROM docker.io/library/golang:1.26-bookworm AS build
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOBIN=/usr/local/bin go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

FROM docker.io/library/debian:bookworm-slim
# curl asks for the server's health and makes the bucket.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10002 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin minio \
    && install -d -o minio -g minio /data
COPY --from=build /usr/local/bin/minio /usr/local/bin/minio
COPY docker/make-bucket.sh /usr/local/bin/make-bucket
USER 10002:10002
VOLUME /data
EXPOSE 9000
ENTRYPOINT ["minio"]
CMD ["server", "/data"]
