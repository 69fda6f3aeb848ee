# Targets for people; `make help` lists them. Everything that is built or
# written lands in build/, and `make clean` removes it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := $(CURDIR)/build/bin

# Tools are pinned here and nowhere else. They are built from the Go module
# proxy into build/bin, so that a fresh clone needs Go and nothing more.
GOLANGCI_LINT := v2.15.0
BENCHSTAT := v0.0.0-20260908200009-22c9c6c9d4da

# Packages that start goroutines or lock: they run under the race detector too.
# All packages under it would take several times as long and show no more; of
# the rules, whose oracle is slow, the tests that share a matcher. NOTRACED are
# tests of size, cost and memory: what they run others run, on less.
RACE := ./scanners ./scanners/cilog ./scanners/cilog/github ./scanners/cilog/rest ./scanners/image ./scanners/image/distribution ./fingerprints/pack ./ingest/scan ./ingest/outcomes ./ingest/redact ./ingest/relay ./scanners/kafka
NOTRACED := ^(TestReal|TestRealLogins|TestRealCluster|TestManyEntries|TestManyTags|TestViewsAreBounded|TestFlatMemory|TestSteady|TestRegionAttack|TestJSONIsBounded|TestHostileEntries|TestBound)$$
INMEMORY := ./scripts/inmemory.sh
TRACED = CGO_ENABLED=1 $(INMEMORY) go test -race -short -vet=off -timeout 10m

FUZZTIME ?= 30s
BENCH ?= .
BENCHCOUNT ?= 6

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## try it: a server, sources, secrets issued, rotated, retired; all inside build/run; RUN=stay keeps it
	@go build -o $(BIN)/demo ./scripts/demo
	@exec $(BIN)/demo $(if $(filter stay,$(RUN)),-stay)

.PHONY: build
build: ## build/bin/revenant
	@mkdir -p $(BIN)
	go build -trimpath -o $(BIN)/revenant ./cmd/revenant

.PHONY: man
man: ## build/man: man pages
	@mkdir -p build/man
	go run ./cmd/revenant reference build/man

.PHONY: test
test: needs-test ## every test, then the concurrent packages under the race detector; make check vets
	@mkdir -p build/test
	$(INMEMORY) go run ./scripts/testsum -summary build/test/summary.txt -skipped build/test/skipped.txt -failed build/test/failed.txt -- -vet=off -parallel 4 ./...
	$(TRACED) -skip '$(NOTRACED)' $$(go list $(RACE))
	$(TRACED) -run '^(TestConcurrent|TestInterrupted|TestSpans)$$' ./scanners/rules
	$(TRACED) -run '^(TestCreateTogether|TestCanceled|TestLocked|TestFull|TestConformance)$$/^(view_|update_)' ./fingerprints/store/sqlstore

# What the tests need besides Go: git, a C compiler for the race detector,
# xmllint for the schema of JUnit's reports, shells for their completion and for
# the scripts of hooks, which call curl, groff for man pages, PostgreSQL for the store,
# and Chromium for the dashboard.
.PHONY: needs-test
needs-test:
	@./scripts/needs.sh git:git gcc:gcc,libc6-dev xmllint:libxml2-utils dh_bash-completion:bash-completion zsh:zsh fish:fish busybox:busybox curl:curl groff:groff-base docker-registry:docker-registry pg_ctlcluster:postgresql chromium:chromium git-filter-repo:git-filter-repo
	@$(MAKE) --no-print-directory needs-kafka needs-axe

# Real brokers for the tests of topics: a current one and the last of Kafka 3.
KAFKA := 4.4.0
KAFKA3 := 3.9.2

.PHONY: needs-kafka
needs-kafka: ## build/kafka: the brokers that tests run, from Maven artifacts, pinned by hash
	@./scripts/needs.sh java:default-jre-headless mvn:maven
	@./scripts/kafka/broker.sh lib $(KAFKA)
	@./scripts/kafka/broker.sh lib $(KAFKA3)

# The dashboard's pages are examined by axe in Chromium; its hash is in scripts/axe.
AXE := $(CURDIR)/build/axe

.PHONY: needs-axe
needs-axe: $(AXE)/node_modules/axe-core/axe.min.js ## build/axe: what examines pages for people who cannot see or use a mouse

$(AXE)/node_modules/axe-core/axe.min.js: scripts/axe/package-lock.json
	@./scripts/needs.sh npm:npm
	@mkdir -p $(AXE)
	cp scripts/axe/package.json scripts/axe/package-lock.json $(AXE)
	cd $(AXE) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: screenshots
screenshots: needs-axe ## docs/screenshots: fills an organisation and takes a picture of every page; look at them before you commit
	@./scripts/needs.sh chromium:chromium
	go test -count=1 -tags screenshots -run '^TestScreenshots$$' -v ./web

.PHONY: kafka-up kafka-down
kafka-up: ## a broker at 127.0.0.1:9092 (KAFKA_PORT), its data in build/; KAFKA=3.9.2 for the last of Kafka 3
	@./scripts/needs.sh java:default-jre-headless mvn:maven
	@./scripts/kafka/broker.sh up $(KAFKA)

kafka-down: ## stop it, and remove its data
	@./scripts/kafka/broker.sh down

# The frameworks that run hooks, pinned: hashes of the Python packages and of
# husky are in scripts/frameworks, lefthook comes through the Go checksums.
LEFTHOOK := v1.13.6
FRAMEWORKS := $(CURDIR)/build/frameworks

.PHONY: test-frameworks
test-frameworks: $(FRAMEWORKS)/venv/bin/pre-commit $(FRAMEWORKS)/node_modules/.bin/husky $(FRAMEWORKS)/bin/lefthook ## our hooks in pre-commit, lefthook and husky themselves; fetches them into build/, and is not part of make test
	go test -count=1 -timeout 20m -tags frameworks -run '^TestFramework' -v ./cmd/revenant

$(FRAMEWORKS)/venv/bin/pre-commit: scripts/frameworks/requirements.txt
	@mkdir -p $(FRAMEWORKS)
	python3 -m venv $(FRAMEWORKS)/venv
	$(FRAMEWORKS)/venv/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(FRAMEWORKS)/node_modules/.bin/husky: scripts/frameworks/package-lock.json
	@mkdir -p $(FRAMEWORKS)
	cp scripts/frameworks/package.json scripts/frameworks/package-lock.json $(FRAMEWORKS)
	cd $(FRAMEWORKS) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(FRAMEWORKS)/bin/lefthook: Makefile
	@mkdir -p $(FRAMEWORKS)/bin
	GOFLAGS= GOBIN=$(FRAMEWORKS)/bin go install github.com/evilmartians/lefthook@$(LEFTHOOK)
	@touch $@

# Schemathesis, pinned by the hashes of its packages; it is no part of make test,
# where TestAnyRequest of api/rest makes requests up from the same document.
SCHEMATHESIS := $(CURDIR)/build/schemathesis
APISECONDS ?= 120

.PHONY: test-api
test-api: $(SCHEMATHESIS)/venv/bin/schemathesis ## Schemathesis against a real server on both databases, then requests made up from the document, each for APISECONDS (120); REVENANT_API_SEED=n
	@./scripts/needs.sh pg_ctlcluster:postgresql
	REVENANT_API_SECONDS=$(APISECONDS) go test -count=1 -timeout 30m -tags schemathesis -run '^TestSchemathesis$$' -v ./cmd/revenant
	REVENANT_API_SECONDS=$(APISECONDS) go test -count=1 -timeout 30m -run '^TestAnyRequest$$' -v ./api/rest

$(SCHEMATHESIS)/venv/bin/schemathesis: scripts/schemathesis/requirements.txt
	@mkdir -p $(SCHEMATHESIS)
	python3 -m venv $(SCHEMATHESIS)/venv
	$(SCHEMATHESIS)/venv/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

PYTHONCLIENT := $(CURDIR)/build/pythonclient

.PHONY: test-python
test-python: $(PYTHONCLIENT)/venv/bin/openapi-python-client ## a Python client is generated from a server's document, and used with it
	go test -count=1 -tags pythonclient -run '^TestPythonClient$$' -v ./cmd/revenant

$(PYTHONCLIENT)/venv/bin/openapi-python-client: scripts/pythonclient/requirements.txt
	@mkdir -p $(PYTHONCLIENT)
	python3 -m venv $(PYTHONCLIENT)/venv
	$(PYTHONCLIENT)/venv/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PHONY: check
check: $(BIN)/golangci-lint-$(GOLANGCI_LINT) ## format, vet, lint, floors; changes no file
	@out=$$(gofmt -l $$(find . -name '*.go' -not -path './build/*')); if [[ -n $$out ]]; then echo "not formatted, run make fmt:"; echo "$$out"; exit 1; fi
	go vet ./...
	go test -count=1 -run '^TestFloors' .
	go mod verify
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) fmt --diff
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: $(BIN)/golangci-lint-$(GOLANGCI_LINT) ## format the Go files
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) fmt

.PHONY: bench
bench: $(BIN)/benchstat ## Go benchmarks through benchstat; BENCH=regexp, BENCHCOUNT=n; against build/bench/old.txt when it is there
	@mkdir -p build/bench
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) -timeout 60m ./... | tee build/bench/new.txt
	@if [[ -f build/bench/old.txt ]]; then $(BIN)/benchstat build/bench/old.txt build/bench/new.txt; else $(BIN)/benchstat build/bench/new.txt; fi
	@echo "to compare a change with this run: mv build/bench/new.txt build/bench/old.txt"

# Sizes in MB; what is slow runs on a slice.
PEERS ?= -log 256 -tree 256 -runs 3

.PHONY: bench-peers
bench-peers: build $(BIN)/gitleaks-plain $(BIN)/gitleaks-release ## beside gitleaks, cat and what is on the PATH; writes docs/speed.md; PEERS='-log MB -tree MB -runs N'
	go run ./scripts/benchpeers $(PEERS)

HOOKRUNS ?= 21

.PHONY: bench-hook
bench-hook: build $(BIN)/gitleaks-plain $(BIN)/gitleaks-release ## what a developer waits for at a commit; writes docs/speed.md; HOOKRUNS=n
	go run ./scripts/benchhook -runs $(HOOKRUNS)

IMAGE ?= -mb 128 -runs 3

.PHONY: bench-image
bench-image: build ## layers of images beside gzip -dc; writes docs/speed.md; IMAGE='-mb N -gib N -runs N'
	go run ./scripts/benchimage $(IMAGE)

SEARCH ?=

.PHONY: bench-search
bench-search: ## searches of a million findings on SQLite and PostgreSQL; writes docs/speed.md; SEARCH='-findings N -stores sqlite'
	go run ./scripts/benchsearch $(SEARCH)

API ?=

.PHONY: bench-api
bench-api: ## what is asked over HTTP of a million sightings on SQLite and PostgreSQL, alone and with 500 readers while scans write; writes docs/speed.md; API='-findings N -readers N'
	go run ./scripts/benchsearch -what api $(API)

TOPICS ?= -messages 500000 -runs 3

.PHONY: bench-kafka
bench-kafka: build needs-kafka ## messages of a real broker beside a bare reader; writes docs/speed.md; TOPICS='-messages N -runs N -codec none'
	go run ./scripts/benchkafka $(TOPICS)

SOAK ?=

.PHONY: soak
soak: build ## a million sightings on SQLite and PostgreSQL, and what people then wait for; an hour; writes docs/scale.md; SOAK='-sources N -sightings N ...'
	go run ./scripts/soak $(SOAK)

.PHONY: fuzz
fuzz: ## each fuzz function for FUZZTIME (30s)
	@FUZZTIME=$(FUZZTIME) ./scripts/fuzz.sh

ORACLE ?= full

.PHONY: oracle
oracle: ## compare the rules with gitleaks on five times as much as make test; ORACLE=all takes an hour
	REVENANT_ORACLE=$(ORACLE) go test -count=1 -v -timeout 3h -run '^TestOracle' ./scanners/rules

PLANTS ?= 20

.PHONY: recall
recall: ## plant values in every encoding and place, PLANTS (20) of each kind in each
	REVENANT_RECALL=$(PLANTS) go test -count=1 -timeout 3h ./ingest/recall

KILLS ?= 50
TOPICKILLS ?= 220

.PHONY: torture
torture: ## kill each piece of work KILLS (50) times at random moments, readers of topics TOPICKILLS (220) times; compare with an undisturbed run
	REVENANT_KILLS=$(KILLS) go test -count=1 -v -timeout 60m -run '^Test(Git|Logs|Serve)?KilledAtAnyMoment$$' ./cmd/revenant
	REVENANT_KILLS=$(TOPICKILLS) go test -count=1 -v -timeout 60m -run '^TestKafkaKilledAtAnyMoment$$' ./cmd/revenant

BLOBS ?= 1000000

.PHONY: blobs
blobs: ## scan a generated repository of BLOBS (1000000) tiny blobs, and find those that hold something
	REVENANT_TEST_BLOBS=$(BLOBS) go test -count=1 -v -timeout 60m -run '^TestManyBlobs$$' ./scanners/gitrepo

.PHONY: golden
golden: ## write golden files and lint floors anew, then floor; read the diff before you commit it
	@./scripts/golden.sh
	$(MAKE) floor

.PHONY: floor
floor: ## count the tests of every package and write .ci/test-floor.txt anew
	go run ./scripts/testsum -quiet -floor .ci/test-floor.txt -update -- ./...

.PHONY: mutate
mutate: ## every listed one-line mutation must break a test; MUTATE=substring of a file or reason
	go run ./scripts/mutate -list testdata/mutations/list.txt -only '$(MUTATE)'

VERSION ?=

.PHONY: release
release: ## build/release: archives for six platforms, SBOMs and checksums of VERSION=v1.2.3, from a clean clone
	go run ./scripts/release $(VERSION)

# The first vet of a platform compiles what it imports. The tests of two packages
# use calls of Linux alone; the packages themselves are compiled by the release.
VETTED = $$(go list ./... | grep -v -e '/cmd/revenant$$' -e '/scanners/files$$')

.PHONY: release-check
release-check: ## what a release needs: vet and builds for six platforms, linux/amd64 twice, checksums, SBOMs
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go vet $(VETTED)
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go vet $(VETTED)
	go run ./scripts/release -out build/release-check -reproduce linux/amd64 v0.0.0-check
	cd build/release-check && sha256sum --check --strict --quiet SHA256SUMS

.PHONY: clean
clean: ## remove build/
	rm -rf build

# The version is in the file's name, so that a new pin builds anew.
$(BIN)/golangci-lint-$(GOLANGCI_LINT):
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	mv $(BIN)/golangci-lint $@

# gitleaks as it is installed and as it is released, of the version in go.mod.
$(BIN)/gitleaks-plain: go.mod
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) go install github.com/zricethezav/gitleaks/v8@$$(go list -m -f '{{.Version}}' github.com/zricethezav/gitleaks/v8)
	mv $(BIN)/gitleaks $@

$(BIN)/gitleaks-release: go.mod
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) go install -tags gore2regex github.com/zricethezav/gitleaks/v8@$$(go list -m -f '{{.Version}}' github.com/zricethezav/gitleaks/v8)
	mv $(BIN)/gitleaks $@

$(BIN)/benchstat:
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT)
