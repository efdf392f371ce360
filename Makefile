# Two commands do everything: `make up` runs Brihaspati here, `make test` runs every test.
# Each installs what it needs into .venv and web/node_modules, and repeats nothing that is done.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
export PYTHON

RUN_LOCK := requirements.lock
DEV_LOCK := requirements-dev.lock
PYTHON_INPUTS := pyproject.toml scripts/python '$(CURDIR)' '$(shell $(PYTHON) --version 2>&1 | head -1)'

# What a lab with a network or a larger disk needs on the host, and what the tests need on top.
HOST_TOOLS := ip=iproute2 nft=nftables mkfs.ext4=e2fsprogs
TEST_TOOLS := $(HOST_TOOLS) chromium=chromium bwrap=bubblewrap dockerd=docker.io podman=podman busybox=busybox-static git=git
CLOUD_TOOLS := ip=iproute2 nft=nftables chromium=chromium pebble=pebble certutil=libnss3-tools
TEST_TOOLS += $(CLOUD_TOOLS) WebKitWebDriver=webkit2gtk-driver Xvfb=xvfb dbus-run-session=dbus-daemon dbus-launch=dbus-x11
VM_TOOLS := qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap mke2fs=e2fsprogs socat=socat

.PHONY: python python-dev host-tools test-tools emulators cloud-sdks osls
.PHONY: help install up test clouds-test cloud-test vm-test coverage lint bench template package bench-cold torture shots lighthouse web lock clean install-dev install-test

help:  ## Say what can be done
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  ## /  make \1\t/' | expand -t 18

# Installing is mostly waiting for somebody else's server: all of it goes on side by side.
BESIDE := @BESIDE=1 $(MAKE) -j

install:  ## Make .venv/bin/brihaspati and the web app
	$(BESIDE) python host-tools web

python:
	@scripts/once .venv/.stamp "Installing Python packages" $(RUN_LOCK) $(PYTHON_INPUTS) -- scripts/python $(RUN_LOCK)

host-tools:
	@[ "$$(id -u)" -ne 0 ] || scripts/need "labs with a network or a large disk" $(HOST_TOOLS)

up: install  ## Run Brihaspati on this machine
	@exec .venv/bin/brihaspati up $(ARGS)

install-dev:
	$(BESIDE) python-dev host-tools web

python-dev: python
	@scripts/once .venv/.stamp-dev "Installing development tools" $(DEV_LOCK) $(PYTHON_INPUTS) -- scripts/python $(DEV_LOCK)

install-test:
	$(BESIDE) python-dev test-tools web emulators cloud-sdks osls

test: install-test  ## Run every test (ARGS="-k terminal" runs some)
	@scripts/test $(ARGS)

test-tools:
	@scripts/need "browser, container and network tests" $(TEST_TOOLS)

emulators cloud-sdks:
	@scripts/$@

osls:
	@! command -v npm >/dev/null || scripts/template install

vm-test: install-dev  ## Boot a true machine per cloud, with its own cloud-init (root; minutes)
	@scripts/need "true machines" $(VM_TOOLS)
	@PYTHONPATH=src:tests .venv/bin/python -m vm $(ARGS)

clouds-test: install-dev  ## Test renting machines, against the stand-in for the clouds
	@scripts/need "machines of the stand-in, and a browser" $(CLOUD_TOOLS)
	@scripts/cloud-sdks
	@scripts/clouds-test $(ARGS)

cloud-test: install-dev  ## Deploy the cloud mode to an emulator of AWS, and hold a class on it (root)
	@scripts/need "the rehearsal" $(HOST_TOOLS)
	@scripts/emulators
	@scripts/template install
	@scripts/quietly "Building the zips" .venv/bin/python -c 'from packing import build; build.build("x86_64")'
	@PYTHONPATH=src:tests .venv/bin/python -m rehearsal $(ARGS)

coverage: install-dev  ## Show that tests reach every branch of domain and engine
	@scripts/coverage $(ARGS)

lint: install-dev  ## Check style, types, layers and the web app's code
	@scripts/lint

bench: install-dev  ## Measure, beside a floor and a peer where there is one
	@PYTHONPATH=src:tests .venv/bin/python -m bench $(ARGS)

template: install-dev  ## Make the template of the cloud mode, and look at it with cfn-lint and checkov
	@scripts/template

package: install-dev  ## Build the zips of the cloud mode (ARGS="--architecture x86_64" too)
	@.venv/bin/python -m packing $(ARGS)

bench-cold: install-dev  ## Measure cold starts with Lambda's own runtime client, beside peers
	@.venv/bin/python -m bench.cold $(ARGS)

shots: install-dev  ## Take pictures of every page, in four sizes and two themes, into shots/
	@scripts/need "pictures" chromium=chromium
	@.venv/bin/python -m bench.shots $(ARGS)

lighthouse: install-dev  ## Measure the pages, with Lighthouse too
	@scripts/need "measuring pages" chromium=chromium
	@scripts/once web/measure/node_modules/.stamp "Installing Lighthouse" \
	    web/measure/package-lock.json -- npm --prefix web/measure --loglevel error install --no-save
	@.venv/bin/python -m bench --only pages $(ARGS)

torture: install  ## Kill a busy server for two minutes, then look for what is left (root)
	@.venv/bin/python -m bench.torture $(ARGS)

web:  ## Build the web app
	@scripts/web build

lock:  ## Resolve both lock files anew from pyproject.toml
	@scripts/lock

clean:  ## Remove what was installed and built (not the data in var/)
	@rm -rf .venv .venv-emulators .venv-clouds tests/emulators/node_modules web/node_modules web/measure/node_modules web/dist build src/*.egg-info
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
