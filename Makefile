# Fingers' shortcuts; meson does the work. `make demo` and `make test` are the two commands of the README.
BUILD ?= build
PATH := /usr/bin:$(PATH)

.PHONY: all demo test bench fuzz deps clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=release -Db_lto=false

deps:
	tools/setup

clean:
	rm -rf build build-*
