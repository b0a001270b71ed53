# Parlance: one binary for every role, plus ONNX Runtime and the embedding model.
#
#   docker build -t parlance .
#   docker build -t parlance --build-arg BROWSER=off .    # without Chromium: 500 MB less, no pages made by scripts
ARG RUST_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim
ARG BROWSER=on

FROM ${RUST_IMAGE} AS build
ARG BROWSER
# `parlance fetch` downloads third-party parts with pip, pinned by hash.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Both caches survive source changes. They are not part of the image, so the binary is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    if [ "$BROWSER" != off ]; then set -- --features browser; fi \
    && cargo build --release --locked -p parlance "$@" \
    && cp target/release/parlance /usr/local/bin/parlance
# The cache keeps downloads across rebuilds of the binary.
RUN --mount=type=cache,target=/var/cache/parlance \
    PARLANCE_CACHE_DIR=/var/cache/parlance parlance fetch --into /opt/parlance

FROM ${RUNTIME_IMAGE}
ARG BROWSER
# libstdc++ for ONNX Runtime, ca-certificates for TLS, curl for health checks, Tesseract for scanned pages in
# the six languages of bots (English is part of tesseract-ocr). Chromium for pages made by scripts, and socat
# for its separate container: see deploy/browser-server.
RUN if [ "$BROWSER" != off ]; then set -- chromium-headless-shell socat; fi \
    && apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libstdc++6 \
        tesseract-ocr tesseract-ocr-deu tesseract-ocr-fra tesseract-ocr-ita tesseract-ocr-por tesseract-ocr-spa "$@" \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 parlance \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/parlance \
        --shell /usr/sbin/nologin parlance \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/parlance /var/lib/parlance/files /var/lib/parlance/cache
COPY --from=build /usr/local/bin/parlance /usr/local/bin/parlance
COPY --from=build /opt/parlance /opt/parlance
COPY deploy/browser-server /usr/local/bin/browser-server
# The folder name is the model id, which is stored with every vector: do not rename it.
ENV ORT_DYLIB_PATH=/opt/parlance/libonnxruntime.so \
    EMBEDDING_MODEL_DIR=/opt/parlance/multilingual-e5-small-int8 \
    PARLANCE_CACHE_DIR=/var/lib/parlance/cache \
    STORAGE_URL=file:///var/lib/parlance/files \
    BIND=0.0.0.0:8080 \
    LOG_FORMAT=json
WORKDIR /var/lib/parlance
# Numeric, so that Kubernetes can verify runAsNonRoot.
USER 10001:10001
# Fail the build, not the first start, if a part is missing or unreadable for this user.
RUN test -r "$ORT_DYLIB_PATH" && test -r "$EMBEDDING_MODEL_DIR/model.onnx"
VOLUME /var/lib/parlance/files
EXPOSE 8080
# For the API; workers serve /healthz on WORKER_BIND. Liveness, not readiness: a restart does not repair the database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["parlance"]
CMD ["api"]
