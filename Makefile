# SPDX-License-Identifier: Apache-2.0
# What this repository can do; `make help` lists it. Each target that builds installs first what is missing.

BUILT := .build/debug
PROBE := $(BUILT)/grpc_health_probe
SOAK_SECONDS ?= 600
# Every program, in the order in which they are built.
PROGRAMS := grpc_health_probe netdiag user-service gateway interop-server interop-client benchmark-server \
  generate-docs store-test-helper greeter-server protobuf-oracle protobuf-conformance

.PHONY: help setup build test unit end-to-end demo release bench lint format schemas fuzz images docs clean soak

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

setup:
	@scripts/setup build

build: setup ## build everything as ordinary Swift, for development
	scripts/build $(PROGRAMS)

test: ## run every test, on the ordinary build and on the released file
	@scripts/setup test
	scripts/build $(PROGRAMS) tests
	swift test --skip-build
	@$(MAKE) --no-print-directory release
	scripts/check-objects
	scripts/fuzz smoke
	scripts/compare-protobuf $(BUILT)
	scripts/end-to-end $(PROBE) dist/grpc_health_probe
	scripts/end-to-end-netdiag $(BUILT)/netdiag dist/netdiag
	scripts/end-to-end-services $(BUILT)

unit: setup ## run the unit tests alone
	scripts/build generate-docs store-test-helper tests
	swift test --skip-build

end-to-end: ## run the end-to-end tests alone, on the ordinary build
	@scripts/setup test
	scripts/build $(PROGRAMS)
	scripts/end-to-end $(PROBE)
	scripts/end-to-end-netdiag $(BUILT)/netdiag
	scripts/end-to-end-services $(BUILT)

demo: ## show the probe and netdiag on a real gRPC server in every state, the user-service, and the gateway
	@scripts/setup demo
	scripts/build grpc_health_probe netdiag user-service gateway
	scripts/demo $(PROBE) $(BUILT)/netdiag
	scripts/demo-services $(BUILT)

release: setup ## build the static files, with their man pages and completions, into dist/
	scripts/release

soak: ## keep the user-service under load for SOAK_SECONDS (600), and see that its memory stays flat
	@scripts/setup demo
	scripts/build user-service
	scripts/soak $(BUILT) $(SOAK_SECONDS)

bench: ## measure the released files beside their peers
	@scripts/setup bench
	@$(MAKE) --no-print-directory release
	SONDE_RELEASE=0 scripts/build-service benchmark-server .build-release/stripped
	scripts/bench
	scripts/bench-netdiag dist/netdiag
	SONDE_RELEASE=0 scripts/build-service protobuf-benchmark .build-release/stripped
	scripts/bench-services dist/user-service .build-release/stripped/benchmark-server dist/netdiag
	scripts/bench-protobuf .build-release/stripped/protobuf-benchmark

lint: ## check the sources' form
	swift format lint --strict --recursive --parallel Package.swift Sources Examples Tests Fuzz

format: ## put the sources into form
	swift format --in-place --recursive --parallel Package.swift Sources Examples Tests Fuzz

schemas: ## make Sources/Schemas from Protos
	@scripts/setup schemas
	scripts/generate-protos

fuzz: ## fuzz every parser for FUZZ_SECONDS each (600 unless said otherwise)
	@scripts/setup build
	scripts/fuzz run

images: ## build the container images
	@scripts/setup images
	scripts/images

docs: ## write man pages and completions into dist/, docs/faults.md and docs/diagnoses.md
	scripts/build generate-docs
	$(BUILT)/generate-docs dist docs/faults.md docs/diagnoses.md

clean: ## remove everything that was built
	rm -rf .build .build-* dist .venv
