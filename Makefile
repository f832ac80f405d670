# SPDX-License-Identifier: Apache-2.0
# `make help` lists what can be done.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
NODE ?= node-1
LAB ?= default
export LAB
# Every recipe that starts Maven finds the JDK as scripts/lib.sh does.
maven = source scripts/lib.sh && maven

.PHONY: help deps binaries build install-plugin test demo demo-check lab-up lab-down lab-shell lab-status test-ipvs test-kernels bench format format-check generate generate-check image clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install what this machine lacks, from Debian's packages (root)
	@scripts/deps

binaries: deps ## Build Kubernetes and the rest of the lab's programs (ten minutes the first time)
	@scripts/go-binaries > /dev/null

build: deps ## Compile and package, without tests
	@$(maven) -q -DskipTests package

install-plugin: build ## Install 'kubectl pointsman' for this user, into ~/.local
	@scripts/install-plugin

image: build ## Build the container image by the Dockerfile, without a container engine (root)
	@scripts/image

test: deps binaries image ## Run unit, packet, API and cluster tests (root)
	@rm -rf target/surefire-reports
	@# What the image was made of is packaged already.
	@status=0; ($(maven) verify -Dquarkus.build.skip) || status=$$?; scripts/outcome; exit $$status

demo: demo-check deps binaries image ## Take a real cluster through MODES (default: BPF) and back under load (root)
	@scripts/demo

# A name that is none is refused before anything is built.
demo-check:
	@scripts/demo --check

lab-up: deps binaries ## Bring up a three-node Kubernetes cluster on this machine (root; LAB=name)
	@scripts/lab up

lab-down: ## Take it away again
	@scripts/lab down

lab-shell: ## Open a shell in a node: make lab-shell NODE=node-2 (or NODE=client)
	@scripts/lab shell $(NODE)

lab-status: ## Tell what runs in the lab
	@scripts/lab status

test-ipvs: deps binaries image ## Walk every edge of IPVS on a cluster in User-Mode Linux (root, half an hour)
	@$(maven) -q test-compile surefire:test -Dgroups=lab-uml -DexcludedGroups=

test-kernels: deps binaries image ## Walk a node on Debian's own kernel, in QEMU, through every mode and back (root, hours without KVM)
	@scripts/deps kernels
	@$(maven) -q test-compile surefire:test -Dgroups=lab-kernels -DexcludedGroups=

bench: deps binaries image ## Measure, and print each figure as a ratio (root)
	@$(maven) -q test-compile surefire:test -Dgroups=bench -DexcludedGroups=

format: ## Format Java, BPF C and Go
	@$(maven) -q spotless:apply
	@clang-format -i $$(find bpf -name '*.[ch]')
	@gofmt -w src/test/go

format-check: ## Fail when a file is not formatted
	@$(maven) -q spotless:check
	@clang-format --dry-run --Werror $$(find bpf -name '*.[ch]')
	@test -z "$$(gofmt -l src/test/go)" || { echo "not formatted: $$(gofmt -l src/test/go); run 'make format'"; exit 1; }

generate-check: ## Fail when a generated file is not what the Java types say
	@$(maven) -q -DskipTests process-classes
	@scripts/generate --check

generate: ## Write crds/, chart templates and references again from the Java types
	@scripts/generate

clean: ## Remove what the build made; the cache of programs and images stays
	@rm -rf target
	@echo "target/ is gone; the cache is in $${POINTSMAN_CACHE:-~/.cache/pointsman}"
