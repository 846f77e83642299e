# SPDX-License-Identifier: Apache-2.0
# Fingers' shortcuts; meson does the work. `make demo` and `make test` are the two commands of the README and
# do everything from a bare Debian 12.
BUILD ?= build
# Debian's own tools first: meson and ninja are installed from its packages.
export PATH := /usr/bin:/bin:$(PATH)

.PHONY: all demo test quick bench fuzz deps clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) falun

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=release

deps:
	tools/setup test

demo:
	tools/setup demo
	$(MAKE) --no-print-directory all
	$(BUILD)/falun demo

test:
	tools/setup test
	tools/test.py

quick:
	tools/setup test
	tools/test.py --quick

bench:
	tools/setup bench
	$(MAKE) --no-print-directory all
	for question in bench/*.py; do [ $$question = bench/harness.py ] || python3 $$question || exit 1; done

# FUZZ_SECONDS each target.
fuzz:
	tools/setup fuzz
	FALUN_FUZZ_SECONDS=$${FUZZ_SECONDS:-60} tools/test.py --fuzz

clean:
	rm -rf build build-*
