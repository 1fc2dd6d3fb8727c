# stint for lint and org runs anywhere:
#
#   make image
#   docker run --rm --network none -v "$PWD:/repo:ro" stint lint /repo
#
# There is no base image to pull, pin or trust: the file system holds one static binary (the bytes that "make dist"
# builds and the release lists) and the certificate authorities, which only calls to an API need. To run a published
# image, name it by its digest. To use other authorities, mount them over /etc/ssl/certs/ca-certificates.crt.
FROM scratch
ARG TARGETARCH
COPY dist/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY dist/stint_linux_${TARGETARCH} /stint
USER 65532:65532
WORKDIR /repo
ENTRYPOINT ["/stint"]
