# SPDX-License-Identifier: Apache-2.0
#
# Builds the released files and the images that hold them:
#
#   docker build --target probe -t sonde/probe .
#   docker build --target probe -o dist .        with BuildKit: hands out the bare file
#
# Needs nothing that only BuildKit knows.

# A registry's copy, a digest or a newer release of the same Swift may stand here.
ARG SWIFT=swift:6.3.1-bookworm

FROM ${SWIFT} AS dependencies
WORKDIR /source
# Apart from the sources, so that a change of theirs installs nothing again.
COPY scripts/setup scripts/
RUN scripts/setup build && rm -rf /var/lib/apt/lists/*

FROM dependencies AS probe-build
COPY Package.swift ./
COPY scripts/build-static scripts/discard-unwind.ld scripts/
COPY Sources Sources
# What -version prints.
ARG COMMIT
RUN SONDE_COMMIT="${COMMIT}" scripts/build-static grpc_health_probe /release

# One file: nothing to run but the probe, nothing to patch but the probe.
FROM scratch AS probe
ARG COMMIT
ARG VERSION
LABEL org.opencontainers.image.title="grpc_health_probe" \
      org.opencontainers.image.description="Checks the health of a gRPC server and says why where it is not healthy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=probe-build /release/grpc_health_probe /grpc_health_probe
# A number, because there is no /etc/passwd to find a name in, and because Kubernetes can then see that it is not root.
USER 65534:65534
ENTRYPOINT ["/grpc_health_probe"]
