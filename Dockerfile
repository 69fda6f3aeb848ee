# A container image of Revenant; docs/release.md says how to build it.
#
#   docker build --build-arg VERSION=v1.2.3 --build-arg COMMIT="$(git rev-parse HEAD)" -t revenant:1.2.3 .
#
# With the version and commit of a release the program in it is the same, byte
# for byte, as the one in that release's archive.

# Compiles on the builder's own platform for the one that is asked for. The
# version is the toolchain of go.mod.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=(devel)
ARG COMMIT=
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH GOAMD64=v1 GOARM64=v8.0 CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off GOFIPS140=off \
    go build -trimpath -buildvcs=false \
    "-ldflags=-s -w -X main.stampedVersion=$VERSION -X main.stampedCommit=$COMMIT" \
    -o /out/revenant ./cmd/revenant

# Not FROM scratch: refs, history and clones are read through git, which wants a
# C library, certificates for https and a client for ssh. A scanner without git
# could scan folders and streams only.
FROM alpine:3.22
RUN apk add --no-cache ca-certificates git openssh-client && adduser -D -u 65532 revenant \
    # A volume that is mounted here belongs to the user; see deploy/compose.yaml.
    && install -d -m 0700 -o 65532 -g 65532 /var/lib/revenant /var/lib/revenant/keys
COPY --from=build /out/revenant /usr/local/bin/revenant
COPY LICENSE /usr/share/licenses/revenant/LICENSE
# By number, so that a cluster that forbids root can tell that this is not it.
USER 65532:65532
WORKDIR /scan
ENTRYPOINT ["revenant"]
