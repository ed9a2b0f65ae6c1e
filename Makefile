# What can be made here; `make help` lists it. docs/develop.md tells more.

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

VERSION   = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LINT      = go tool -modfile=tools/lint/go.mod
GENERATED = docs/config.md docs/commands.md docs/conformance.md docs/msnp.md docs/clients.md config/sentences.go
FUZZTIME ?= 30s
# names of plays to play, a regular expression
PLAY     ?= .
# flags of the comparison with the null relay, as -quick or -only chat
BENCH    ?=

.PHONY: build
build: ## the program: ./parley
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o parley ./cmd/parley

.PHONY: run
run: build ## start a service to try out, with demo accounts, on this machine only
	./parley quickstart

.PHONY: test
test: setup check load kill smoke ## everything that is judged, with its set-up; the race-clean run comes last
	go test -race -timeout 15m ./...

.PHONY: quick
quick: ## all tests once, without the race detector
	go test ./...

.PHONY: race
race: ## all tests under the race detector
	go test -race -timeout 15m ./...

.PHONY: setup
setup: ## what the tests need and a machine with Go may not have
	go mod download
	go -C tools/lint mod download
	@want=; \
	command -v gcc >/dev/null || command -v clang >/dev/null || want="$$want gcc libc6-dev"; \
	/usr/bin/python3 -c 'import slixmpp' 2>/dev/null || want="$$want python3-slixmpp"; \
	for program in go-sendxmpp profanity tmux; do command -v $$program >/dev/null || want="$$want $$program"; done; \
	[ -z "$$want" ] || { \
		echo "the race detector needs a C compiler, the tests other people's clients: installing$$want"; \
		as=; [ "$$(id -u)" = 0 ] || as=sudo; \
		$$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$want; }

.PHONY: check
check: ## format, vet, staticcheck, floors, citations, generated files
	@l=$$(gofmt -l .); [ -z "$$l" ] || { printf 'gofmt -w these:\n%s\n' "$$l"; exit 1; }
	go vet ./...
	@l=$$(go fix -diff ./...) || true; [ -z "$$l" ] || { printf '%s\n\nnewer Go says it shorter: go fix ./...\n' "$$l"; exit 1; }
	$(LINT) staticcheck ./...
	go -C tools/load vet ./...
	go test . ./tools/...
	go run ./tools/conformance -strict -check
	@old=$$(mktemp -d); trap 'rm -rf "$$old"' EXIT; \
	for f in $(GENERATED); do mkdir -p "$$old/$$(dirname $$f)"; cp "$$f" "$$old/$$f"; done; \
	$(MAKE) --no-print-directory -s docs; \
	for f in $(GENERATED); do diff -u "$$old/$$f" "$$f" || { echo "$$f was not up to date and has been made anew: commit it"; exit 1; }; done

.PHONY: load
load:
	go -C tools/load test ./...

.PHONY: kill
kill: ## 500 clients, and 20 times kill -9: nothing acknowledged is lost
	PARLEY_KILLS=20 PARLEY_CLIENTS=500 go test ./cmd/parley -run TestKill -count=1 -timeout 15m

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "fuzz $$(dirname "$$file") $$target"; \
			go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# A count and not a time: go test now and then fails a target whose time is over ("context deadline exceeded").
.PHONY: smoke
smoke:
	@$(MAKE) --no-print-directory fuzz FUZZTIME=10000x

.PHONY: play
play: ## the transcripts; PLAY=name for some of them
	go test -count=1 -run 'Play/$(PLAY)' ./...

.PHONY: interop
interop: ## other people's clients, with each other and with one on MSNP
	go test -count=1 -v -run OtherClients ./cmd/parley

.PHONY: cover
cover: ## which lines the tests reach: bin/cover.html
	@mkdir -p bin
	go test -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -html=bin/cover.out -o bin/cover.html
	go tool cover -func=bin/cover.out | tail -n 1

.PHONY: bench
bench: build ## Parley beside the null relay: the table of docs/performance.md; BENCH=-quick for a short run
	go -C tools/load run ./bench -parley "$(CURDIR)/parley" $(BENCH)

.PHONY: docs
docs: ## the generated pages: docs/config.md, docs/commands.md, docs/conformance.md, docs/msnp.md, the tables of docs/clients.md
	go run ./tools/gen/config
	go run ./tools/gen/msnp
	@new=$$(mktemp); trap 'rm -f "$$new"' EXIT; go run ./cmd/parley help --markdown >"$$new"; cat "$$new" >docs/commands.md
	go run ./tools/conformance

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18
