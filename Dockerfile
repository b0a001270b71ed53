# Parlance: one binary for every role, with ONNX Runtime and the embedding model beside it.
#
#   docker build -t parlance .
ARG RUST_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
# pip is how `parlance fetch` gets what is not ours, pinned by hash.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Both caches outlive a change of the source. They are no part of the image, so the binary is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p parlance \
    && cp target/release/parlance /usr/local/bin/parlance
# What was fetched is kept, so that a new binary does not download it again.
RUN --mount=type=cache,target=/var/cache/parlance \
    PARLANCE_CACHE_DIR=/var/cache/parlance parlance fetch --into /opt/parlance

FROM ${RUNTIME_IMAGE}
# ONNX Runtime is C++; servers' certificates are checked against the system's; curl asks for the health.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 parlance \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/parlance \
        --shell /usr/sbin/nologin parlance \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/parlance /var/lib/parlance/files /var/lib/parlance/cache
COPY --from=build /usr/local/bin/parlance /usr/local/bin/parlance
COPY --from=build /opt/parlance /opt/parlance
# The model's folder is named as the model is: its name is the model's id, and vectors carry it.
ENV ORT_DYLIB_PATH=/opt/parlance/libonnxruntime.so \
    EMBEDDING_MODEL_DIR=/opt/parlance/multilingual-e5-small-int8 \
    PARLANCE_CACHE_DIR=/var/lib/parlance/cache \
    STORAGE_URL=file:///var/lib/parlance/files \
    BIND=0.0.0.0:8080 \
    LOG_FORMAT=json
WORKDIR /var/lib/parlance
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
# A part that is missing, or that this user cannot read, fails the build and not the first start.
RUN test -r "$ORT_DYLIB_PATH" && test -r "$EMBEDDING_MODEL_DIR/model.onnx"
VOLUME /var/lib/parlance/files
EXPOSE 8080
# The API's: whoever runs a worker asks at its WORKER_BIND. It asks whether the process is alive and not whether it is
# ready, for a restart brings no database back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["parlance"]
CMD ["api"]
