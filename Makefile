# make build        bin/stint, for this machine
# make test         what the README says: go test ./...
# make ci           all that CI runs
# make lint         stint on this repository
# make fuzz         every fuzz target in turn, FUZZTIME each (10m)
# make integration  against servers that are not ours; says what it skips
# make dist         the six binaries of a release, built twice and compared; VERSION=1.2.3
# make org-bench    10,000 repositories of 5 workflows each: requests, time and memory of a scan, incidents, reports
# make image        a container image for lint and org runs, from the binaries of "make dist"

VERSION  ?= 0.0.0-dev
FUZZTIME ?= 10m
IMAGE    ?= stint
# The image's certificate authorities are those of the machine that builds it; only what talks to an API needs them.
CA_BUNDLE ?= /etc/ssl/certs/ca-certificates.crt

.PHONY: build test ci lint fuzz integration dist org-bench image clean

build:
	go build -trimpath -o bin/ ./cmd/stint

test:
	go test ./...

ci:
	.ci/run

lint:
	go run ./cmd/stint lint .

fuzz:
	scripts/fuzz $(FUZZTIME)

integration:
	@if [ -x scripts/integration/run ]; then scripts/integration/run; \
	else echo "stint: error: scripts/integration/run is missing" >&2; exit 1; fi

dist:
	scripts/dist $(VERSION)

org-bench:
	STINT_ORG_BENCH=10000 go test ./org -run TestLargeOrganization -v -count 1 -timeout 60m

image: dist
	install -D -m 0644 $(CA_BUNDLE) dist/ca-certificates.crt
	docker build --tag $(IMAGE) .

clean:
	rm -rf bin dist
