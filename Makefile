# Delegates to the scripts; `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help run test test-all bench format lint fuzz sanitize coverage install-deps clean

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

run:             ## install what is missing, build, start the demo (./run.sh)
	./run.sh
test:            ## install, build, pass all tests (./test.sh)
	./test.sh
test-all:        ## also sanitizers, fuzzers, clang-tidy, format
	./test.sh --all
bench:           ## build the release program and run the benchmarks of docs/benchmarks.md
	tools/install.sh build test
	tools/build.sh release jiaozi
	build/release/bin/jiaozi bench payments
	build/release/bin/jiaozi bench ledger --compare
	build/release/bin/jiaozi bench purse
format:          ## format the C++ code in place
	tools/install.sh lint
	tools/lint.sh --fix
lint:            ## format check and clang-tidy
	tools/install.sh build test lint
	tools/build.sh dev
	tools/lint.sh
fuzz:            ## every fuzzer for five minutes
	tools/install.sh build test lint
	tools/fuzz.sh 300
sanitize:        ## tests under the address, undefined-behaviour and thread sanitizers
	tools/install.sh build test lint
	tools/sanitize.sh
coverage:        ## line coverage of the unit tests, summary printed
	tools/install.sh build test
	tools/coverage.sh
install-deps:    ## install every package the project uses
	tools/install.sh build test lint
clean:           ## remove everything that was built
	rm -rf build web/dist web/node_modules
