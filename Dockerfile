# SPDX-License-Identifier: Apache-2.0
#
# Builds the released files and the images that hold them:
#
#   docker build --target probe -t sonde/probe .
#   docker build --target probe -o dist .        with BuildKit: hands out the bare file
#   docker build --target netdiag -t sonde/netdiag .
#   docker build --target user-service -t sonde/user-service .
#   docker build --target gateway -t sonde/gateway .
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

# The packages that the services stand on, fetched in a layer of their own.
FROM dependencies AS packages
COPY Package.swift ./
RUN SONDE_RELEASE=1 swift package resolve --scratch-path .build-release

# Both at once, for they share nearly all that is compiled.
FROM packages AS services-build
COPY scripts/build-service scripts/discard-service-unwind.ld scripts/
COPY Sources Sources
RUN scripts/build-service user-service /release && scripts/build-service gateway /release && mkdir -m 700 /data

# The service, the probe that checks it, and a folder for its database: a fresh volume takes over the folder's owner.
FROM scratch AS user-service
ARG COMMIT
ARG VERSION
LABEL org.opencontainers.image.title="user-service" \
      org.opencontainers.image.description="A reference gRPC service: users in SQLite, built the way production wants it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=services-build /release/user-service /usr/local/bin/user-service
COPY --from=probe-build /release/grpc_health_probe /usr/local/bin/grpc_health_probe
COPY --from=services-build --chown=65534:65534 /data /data
ENV PATH=/usr/local/bin \
    SONDE_LISTEN=[::]:50051 \
    SONDE_PLAINTEXT=true \
    SONDE_DATABASE=/data/users.db \
    GRPC_HEALTH_PROBE_ADDR=:50051
EXPOSE 50051
VOLUME /data
USER 65534:65534
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["grpc_health_probe", "-timeout=2s"]
ENTRYPOINT ["user-service"]

# The gateway, and the probe that checks it. GRPC_SERVER_ADDRESS or SONDE_BACKEND says what it stands in front of.
FROM scratch AS gateway
ARG COMMIT
ARG VERSION
LABEL org.opencontainers.image.title="gateway" \
      org.opencontainers.image.description="One address in front of many gRPC services, balanced call by call" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=services-build /release/gateway /usr/local/bin/gateway
COPY --from=probe-build /release/grpc_health_probe /usr/local/bin/grpc_health_probe
ENV PATH=/usr/local/bin \
    SONDE_LISTEN=[::]:8080 \
    SONDE_PLAINTEXT=true \
    GRPC_HEALTH_PROBE_ADDR=:8080
EXPOSE 8080
USER 65534:65534
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["grpc_health_probe", "-timeout=2s"]
ENTRYPOINT ["gateway"]

# Last of all: builders that make every stage before the wanted one save its compilation where another image is built.
FROM dependencies AS netdiag-build
COPY scripts/static-libmnl scripts/
# A layer of its own: a change of the sources fetches nothing again.
RUN scripts/static-libmnl .build-embedded/libmnl
COPY Package.swift ./
COPY scripts/build-static scripts/discard-unwind.ld scripts/
COPY Sources Sources
ARG COMMIT
RUN SONDE_COMMIT="${COMMIT}" scripts/build-static netdiag /release

# To be copied from, or to be run beside a container: docker run --rm --network container:NAME sonde/netdiag listeners
FROM scratch AS netdiag
ARG COMMIT
ARG VERSION
LABEL org.opencontainers.image.title="netdiag" \
      org.opencontainers.image.description="Finds out what is wrong between a client and a server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=netdiag-build /release/netdiag /usr/local/bin/netdiag
ENV PATH=/usr/local/bin
USER 65534:65534
ENTRYPOINT ["netdiag"]
