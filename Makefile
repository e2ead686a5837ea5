# cpis: one Makefile, everything under build/. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
# SANITIZE=address,undefined (or thread) builds everything with those sanitizers, apart from the normal build.
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
comma := ,
# V=1 shows the commands.
Q := $(if $(V),,@)
VERSION := 0.1.0

# Debian 12 packages: what the programs need, and what building and testing them needs.
PACKAGES := gcc make pkg-config libc6-dev libzmq3-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler \
	libssl-dev libsqlite3-dev libcyaml-dev libcsv-dev libjansson-dev uthash-dev libunistring-dev libsodium-dev libp11-kit-dev libseccomp-dev check \
	clang libclang-rt-14-dev llvm valgrind sqlite3 openssl python3 spin \
	softhsm2 opensc libfaketime golang-go golang-golang-x-mod-dev util-linux mount e2fsprogs iproute2 libpq-dev postgresql-15 \
	patroni etcd-server etcd-client nftables curl python3-hl7 python3-yaml libevent-dev libxml2-dev libxslt1-dev libjose-dev \
	libpango1.0-dev fonts-dejavu-core poppler-utils age distro-info-data debian-security-support python3-jsonschema \
	libsystemd-dev lowdown groff zsh rsyslog rsyslog-openssl prometheus systemd python3-zmq python3-protobuf \
	python3-cryptography python3-pyasn1-modules python3-systemd libcurl4-openssl-dev
# What `make test-web` needs besides; nodejs and npm only where there are none, because some machines have newer ones of their own.
WEB_PACKAGES := chromium libnss3-tools
# What `make bench` needs besides: the peers.
BENCH_PACKAGES := nats-server nginx-light
# What `make deb` needs besides, and what its packages are tried in: a Debian with systemd, in a container.
DEB_PACKAGES := dpkg-dev debhelper dh-python lintian mmdebstrap systemd systemd-container
LIBRARIES := libzmq libsodium libprotobuf-c openssl sqlite3 libcyaml jansson p11-kit-1 libseccomp libpq

CPPFLAGS += -I. -I$(BUILD)/gen -D_GNU_SOURCE -DCPIS_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wundef -Wvla
# tests/system/hardening.sh looks for each of these in the programs. CET is x86's.
CET := $(if $(shell echo 'int x;' | $(CC) -fcf-protection=full -x c -c -o /dev/null - 2>/dev/null && echo yes),-fcf-protection=full)
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE $(CET) \
	$(if $(SANITIZE),-DCPIS_SANITIZED,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) $(HARDENING) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
ALL_LDFLAGS = $(LDFLAGS) -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# Objects depend on a file with what they are compiled with, which is written when that has changed. Left out is what only names the
# tree's place, the version, which few objects are told, and SANITIZE, which has a folder of its own.
FLAGS := $(BUILD)/.flags
FLAGS_NOW := $(CC) $(sort $(filter-out -DCPIS_VERSION=%,$(CPPFLAGS))) $(LDFLAGS) $(WARNINGS) $(filter -f%,$(HARDENING)) \
	$(filter-out -ffile-prefix-map=% -fdebug-prefix-map=% -fmacro-prefix-map=%,$(CFLAGS))
ifneq ($(file < $(FLAGS)),$(FLAGS_NOW))
.PHONY: $(FLAGS)
endif
LIBS_PROTO := -lprotobuf-c
LIBS_CERTS := -lcrypto
# libpq only where something of broker/store_postgres*.c is, or of certs/postgres_target.c.
# libevent for what serves metrics only.
LIBS_BROKER := -lzmq -lsodium -lsqlite3 -Wl,--as-needed -lpq -Wl,--no-as-needed -lcyaml -lseccomp -ljose -ljansson -Wl,--as-needed -levent_core -levent_extra -Wl,--no-as-needed -lpthread -lm
LIBS_CLIENT := -lzmq -lp11-kit
LIBS_CLI := -lcyaml -ljansson -lcsv -lsqlite3 -Wl,--as-needed -lpq -Wl,--no-as-needed
LIBS_RESPONDERS := -lunistring
LIBS_SHEET = $(shell pkg-config --libs pangocairo cairo-pdf jansson fontconfig 2>/dev/null)
LIBS_HTTP := -lsystemd -levent_core -levent_extra -levent_openssl -lssl -lpthread
# The notifier's: no broker's and no person's key comes near it.
LIBS_NOTIFY := -lcurl -ljansson -lcyaml
LIBS_WEB := -lexslt -lxslt -lxml2 -lsodium
# Where cpis-web finds its templates and assets when its settings do not say it.
WEB_SHARE := $(PREFIX)/share/cpis/web

# ------------------------------------------------------------------ what is built from what

GEN := $(BUILD)/gen/proto/cpis.pb-c.c $(BUILD)/gen/broker/stored.pb-c.c $(BUILD)/gen/clients/web/web.pb-c.c
GEN_HEADERS := $(GEN:.c=.h)
proto_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard proto/*.c)) $(BUILD)/gen/proto/cpis.pb-c.o
certs_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard certs/*.c))
broker_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out broker/main.c,$(wildcard broker/*.c))) $(BUILD)/gen/broker/stored.pb-c.o
client_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/libcpis/*.c))
cli_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out clients/cli/main.c,$(wildcard clients/cli/*.c)))
drill_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/drill/*.c))
responders_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard clients/responder/*.c clients/demographics/*.c)))
http_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/http/*.c))
fhir_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c %/notify_main.c,$(wildcard clients/fhir/*.c)))
web_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard clients/web/*.c))) $(BUILD)/gen/clients/web/web.pb-c.o
sheet_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/sheet/*.c))
harness_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/harness/*.c))

PROTO_A := $(BUILD)/libcpis-proto.a
CERTS_A := $(BUILD)/libcpis-certs.a
BROKER_A := $(BUILD)/libcpis-broker.a
CLIENT_A := $(BUILD)/libcpis.a
CLI_A := $(BUILD)/libcpis-cli.a
DRILL_A := $(BUILD)/libcpis-drill.a
RESPONDERS_A := $(BUILD)/libcpis-responders.a
HTTP_A := $(BUILD)/libcpis-http.a
FHIR_A := $(BUILD)/libcpis-fhir.a
WEB_A := $(BUILD)/libcpis-web.a
HARNESS_A := $(BUILD)/libcpis-harness.a
# What is installed: the client library and the two layers it stands on in one, of which it shows what libcpis.map says. Its number
# changes with what a program was compiled for: clients/README.md, "Linking with libcpis".
LIBCPIS_ABI := 1
INSTALLED_A := $(BUILD)/installed/libcpis.a
INSTALLED_SO := $(BUILD)/installed/libcpis.so.$(LIBCPIS_ABI)
LIBCPIS_MAP := clients/libcpis/libcpis.map
PROGRAMS := $(addprefix $(BUILD)/,cpis-broker cpis cpis-contact-sheet cpis-responder cpis-demographics cpis-web cpis-fhir cpis-fhir-notify)

# A test links only the layer that it tests (and what that layer stands on).
TESTS_proto := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/proto/test_*.c))
TESTS_certs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/certs/test_*.c))
TESTS_broker := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/broker/test_*.c))
TESTS_clients := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/clients/test_*.c))
TESTS_bench := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/bench/test_*.c))
TESTS_scenario := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/scenario/test_*.c))
TESTS_system := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/system/test_*.c))
TESTS := $(TESTS_proto) $(TESTS_certs) $(TESTS_broker) $(TESTS_clients) $(TESTS_bench) $(TESTS_scenario) $(TESTS_system)
# Those that rehearse a fault: each of their tests is a row of the fault table.
DRILL := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/system/test_fault_*.c) tests/scenario/test_memory_refused.c)
# Programs that the scripts of tests/system/ run.
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
TOOLS_log := $(BUILD)/tests/tools/log_exports
SOAK := $(BUILD)/tests/soak/soak
UPGRADE := $(BUILD)/tests/upgrade/test_upgrade
# What makes tests/vectors, and the stage that clients in other languages meet the broker on.
VECTORS := $(BUILD)/tests/interop/vectors
INTEROP_STAGE := $(BUILD)/tests/interop/stage
vectors_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/interop/vector*.c) tests/interop/json_message.c)
# The load on a replicated cluster, and who asks while it is partitioned.
CLUSTER := $(BUILD)/tests/cluster/load $(BUILD)/tests/cluster/partition
cluster_OBJ := $(addprefix $(BUILD)/tests/cluster/,book.o brokers.o check.o)
# What is preloaded into a broker to make its calls fail.
SHIMS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/shim/*.c))
bench_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c)))
BENCH_A := $(BUILD)/libcpis-bench.a
BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
fuzz_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/fuzz_%.c,$(wildcard tests/fuzz/*.c)))
FUZZ_A := $(BUILD)/libcpis-fuzz.a
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all deps deps-bench deps-npm deps-web demo test test-hl7 test-web test-fhir bench-fhir test-built analyse analysed lint drill cluster test-cluster soak fuzz fuzz-replay fuzz-merge fuzz-built bench bench-quick bench-compare install clean help sbom deps-deb deb test-package test-upgrade test-watch test-interop

# The pages: templates as they are, and what npm's packages are made into.
WEB := $(BUILD)/web
# What the bench of the FHIR facade compares it with: an answer of HTTPS alone, and the question by libcpis alone.
FHIR_PLAIN := $(BUILD)/tests/fhir/plain
FHIR_DIRECT := $(BUILD)/tests/fhir/direct
# One inbox item of each kind.
FHIR_ITEMS := $(BUILD)/tests/fhir/items
FHIR_MODULES := $(BUILD)/fhir/tests/node_modules
WEB_SHARED := $(patsubst clients/web/%,$(WEB)/%,$(wildcard clients/web/templates/*.xsl)) $(addprefix $(WEB)/assets/,web.css.gz web.js.gz icon.svg)

# Manual pages and completions, from what the programs print of themselves.
MANUAL := $(patsubst %.md,$(BUILD)/man/%,$(notdir $(wildcard broker/man/*.md clients/man/*.md)))
COMPLETIONS := $(foreach shell,bash zsh,$(addprefix $(BUILD)/completion/$(shell)/,cpis cpis-broker))

all: deps ## build the programs into build/ (installs what is missing first)
	@$(MAKE) --no-print-directory programs

.PHONY: programs web manual placeable place tests-built benches fuzzers interop libcpis place-libcpis
programs: $(PROGRAMS)
manual: $(MANUAL) $(COMPLETIONS)
web: $(BUILD)/cpis-web $(WEB_SHARED)
libcpis: $(INSTALLED_A) $(INSTALLED_SO) $(BUILD)/man3/.made
tests-built: $(PROGRAMS) libcpis $(TESTS) $(TOOLS) $(SOAK) $(CLUSTER) $(UPGRADE)
benches: $(BENCHES)
fuzzers: $(FUZZERS)

deps: ## install the Debian packages that are missing; silent when none is
	@missing=$$(dpkg-query -W -f='$${Package} $${db:Status-Status}\n' $(PACKAGES) 2>/dev/null | awk '$$2 == "installed" {print $$1}' \
		| sort > /tmp/.cpis-deps.$$$$; printf '%s\n' $(PACKAGES) | sort -u | comm -23 - /tmp/.cpis-deps.$$$$; rm -f /tmp/.cpis-deps.$$$$); \
	if [ -n "$$missing" ]; then tests/install.sh $$missing; fi

demo: all ## the main job end to end, in a terminal (KEEP=1 leaves the broker up)
	@BUILD=$(BUILD) KEEP=$(KEEP) tests/demo/demo.sh

# The fuzzers are built before, because a test has ten minutes. Begun first, so that the whole does not wait for them. Some are left out of a sanitized run: the fuzzers have sanitizers of
# their own, the soak measures memory, the mutations are one program run hundreds of times, which is run by itself too, the
# cluster's time is that of its failovers, the pages' that of a browser, that of the other languages, the FHIR facade, the HL7 adaptor
# and the guides that of interpreters, and the bill of materials is of what is delivered.
LONGEST := tests/system/policy_mutation.sh tests/system/fuzz.sh tests/system/web.sh
UNSANITIZED := $(addprefix tests/system/,fuzz.sh soak.sh policy_mutation.sh cluster.sh web.sh fhir.sh fhir_notify.sh interop.sh hl7.sh guides.sh sbom.sh)
SCRIPTS = $(sort $(filter-out $(if $(SANITIZE),$(UNSANITIZED)),$(wildcard tests/system/*.sh)))
test: deps-web ## everything: lint, unit, scenario and system tests (SANITIZE=address,undefined or thread for a sanitized run)
	@$(MAKE) --no-print-directory -j$$(nproc) tests-built $(if $(SANITIZE),,web interop $(WEB)/tests/node_modules $(FHIR_MODULES) $(FHIR_ITEMS) $(SBOM_SCHEMA))
	@$(if $(SANITIZE),,$(MAKE) --no-print-directory fuzz-built)
	@BUILD=$(BUILD) tests/run.sh $(if $(SANITIZE),,lint) $(filter $(LONGEST),$(SCRIPTS)) $(TESTS) $(filter-out $(LONGEST),$(SCRIPTS))

deps-npm: deps ## install npm where there is none: the pages' style is made from a package of it
	@command -v npm > /dev/null || tests/install.sh nodejs npm

deps-web: deps-npm ## install what `make test-web` needs besides: Chromium
	@tests/install.sh $(WEB_PACKAGES)

test-web: deps-web ## the web pages in a browser: each journey, accessibility, attacks; screenshots in build/web/screenshots
	@$(MAKE) --no-print-directory -j$$(nproc) programs web $(WEB)/tests/node_modules
	@BUILD=$(BUILD) tests/web/run.sh

test-fhir: deps-npm ## the FHIR facade with a stock client and notifications to an endpoint, against HL7's schema
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(FHIR_MODULES) $(FHIR_ITEMS)
	@BUILD=$(BUILD) tests/fhir/run.sh
	@BUILD=$(BUILD) tests/fhir/run.sh notify

bench-fhir: deps-npm ## the processor time of a query by FHIR, beside the same query by libcpis and a bare answer of that size
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(FHIR_MODULES) $(FHIR_PLAIN) $(FHIR_DIRECT)
	@BUILD=$(BUILD) tests/fhir/run.sh bench

test-hl7: deps ## 10,000 ADT messages by MLLP, answered and recorded as direct questions are
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(BUILD)/python/cpis_pb2.py
	@BUILD=$(BUILD) MESSAGES=10000 tests/system/hl7.sh

test-interop: deps-npm ## clients in C, Python and TypeScript: all vectors, and the same cases against the real broker and a lying one
	@$(MAKE) --no-print-directory -j$$(nproc) programs interop
	@BUILD=$(BUILD) tests/system/interop.sh

soak: deps ## ten million requests of all kinds, hostile ones too, and what they leave behind (a quarter of an hour)
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(SOAK)
	@BUILD=$(BUILD) $(SOAK)

analyse: deps ## clang's and gcc's static analysers over every file; what they report is repaired or explained
	@$(MAKE) --no-print-directory -j$$(nproc) analysed
	@python3 tests/analyse/analyse.py $(BUILD)/analyse $(ANALYSED)

lint: deps ## layering, house rules and outliers
	@tests/lint/lint.sh

# The harnesses and all that they link are built by clang, apart: tests/fuzz/README.md.
FUZZ_BUILD := build/fuzz
TIME ?= 60
fuzz: fuzz-built ## run each fuzz harness for TIME=60 seconds, and print the coverage that its corpus reaches
	@tests/fuzz/fuzz.sh run $(TIME)

fuzz-replay: fuzz-built ## the fuzz corpora alone
	@tests/fuzz/fuzz.sh replay

fuzz-merge: fuzz-built ## what the last fuzz runs found goes into the corpora
	@tests/fuzz/fuzz.sh merge

fuzz-built: deps
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(FUZZ_BUILD) CC=clang SANITIZE=fuzzer-no-link,address,undefined \
		CFLAGS="-O1 -gline-tables-only -fprofile-instr-generate -fcoverage-mapping" fuzzers

# The schema that it is held to comes from npm; it is made without.
SBOM_SCHEMA := $(BUILD)/sbom/node_modules
sbom: deps ## the software bill of materials, build/cpis.cdx.json, and which components are out of support
	@$(MAKE) --no-print-directory -j$$(nproc) programs
	@tests/sbom/sbom.py make --version $(VERSION) --out $(BUILD)/cpis.cdx.json $(PROGRAMS)
	@tests/sbom/sbom.py check $(BUILD)/cpis.cdx.json

drill: deps ## inject every fault and rehearse every incident for real, as root, and print what came of it (UPDATE=1: into tests/README.md)
	@$(MAKE) --no-print-directory -j$$(nproc) $(PROGRAMS) $(DRILL)
	@BUILD=$(BUILD) UPDATE=$(UPDATE) tests/drill/drill.sh $(DRILL)
	@BUILD=$(BUILD) UPDATE=$(UPDATE) tests/drill/incidents.sh

cluster: deps ## a PostgreSQL of three nodes under Patroni and three brokers before it, in namespaces, as root (KEEP=1 leaves it up)
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(CLUSTER)
	@BUILD=$(BUILD) KEEP=$(KEEP) tests/cluster/cluster.sh up

# The commits of earlier releases: of the same protocol, some weeks older; and with the schema of the store before.
PREVIOUS_CLIENT := 39831262a505106cb546600740df6c8ddc6b90f6
PREVIOUS_STORE := e3f55545b534ec18ada157c03bf8428c57f1b3e2
test-upgrade: deps ## this release beside earlier ones, built once from the history: old and new clients and brokers, upgrades under load, the way back
	@tests/upgrade/previous.sh client $(PREVIOUS_CLIENT)
	@tests/upgrade/previous.sh store $(PREVIOUS_STORE)
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(UPGRADE)
	@BUILD=$(BUILD) $(UPGRADE)

test-cluster: deps ## faults of that cluster under load, as root (ROUNDS=5, FAULTS="kill-primary cut-primary", PAUSE_S=30)
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(CLUSTER)
	@BUILD=$(BUILD) ROUNDS="$(ROUNDS)" FAULTS="$(FAULTS)" PAUSE_S="$(PAUSE_S)" tests/cluster/rounds.sh

test-watch: deps ## the shipped alerts before a real Prometheus and a real broker: each brought about, and cleared (a minute and a half)
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(SHIMS)
	@BUILD=$(BUILD) tests/watch/alerts.sh

deps-bench: deps ## install what `make bench` needs besides: the peers that it compares with
	@tests/install.sh $(BENCH_PACKAGES)

# PostgreSQL itself is needed for the tests.
ENGINE ?=
bench: $(if $(ENGINE),deps,deps-bench) ## measure against floors and peers in the same run, at most 10 minutes; report in build/ (ENGINE=postgres: 1 to 3 brokers before a replicated pair)
	@$(MAKE) --no-print-directory -j$$(nproc) programs benches
	@BUILD=$(BUILD) CPIS_BENCH_ENGINE=$(ENGINE) tests/bench/bench.sh

bench-quick: $(if $(ENGINE),deps,deps-bench) ## the most important rows of it, within a minute or little more
	@$(MAKE) --no-print-directory -j$$(nproc) programs $(BUILD)/tests/bench/bench_query $(BUILD)/tests/bench/bench_postgres
	@BUILD=$(BUILD) CPIS_BENCH_QUICK=1 CPIS_BENCH_ENGINE=$(ENGINE) tests/bench/bench.sh

bench-compare: ## OLD=build/x.json: what has changed from that report to build/bench.json
	@test -n "$(OLD)" || { echo "bench-compare: with which report? make bench-compare OLD=build/x.json" >&2; exit 2; }
	@python3 tests/bench/report.py compare "$(OLD)" $(BUILD)/bench.json

install: all deps-npm ## install under $(DESTDIR)$(PREFIX)
	@$(MAKE) --no-print-directory placeable
	@$(MAKE) --no-print-directory place

placeable: programs web manual libcpis $(BUILD)/python/cpis_pb2.py

# Builds nothing: what `make placeable` made goes to its places. Also for the Debian packages.
PLACE := $(DESTDIR)$(PREFIX)
place: place-libcpis
	install -d $(addprefix $(PLACE)/,bin sbin share/cpis/python share/cpis/web/templates share/cpis/web/assets \
		share/man/man1 share/man/man5 share/man/man8 share/bash-completion/completions share/zsh/vendor-completions)
	install -m 755 $(BUILD)/cpis clients/mesh/cpis-mesh clients/hl7/cpis-hl7 $(BUILD)/cpis-contact-sheet $(BUILD)/cpis-fhir-notify $(PLACE)/bin/
	install -m 755 $(addprefix $(BUILD)/,cpis-broker cpis-responder cpis-demographics cpis-web cpis-fhir) $(PLACE)/sbin/
	install -m 644 proto/cpis.proto broker/policy.yaml broker/prometheus-alerts.yaml broker/rsyslog-siem.conf $(PLACE)/share/cpis/
	install -m 644 clients/python/*.py clients/hl7/cpis_hl7.py $(BUILD)/python/cpis_pb2.py $(PLACE)/share/cpis/python/
	install -m 644 $(WEB)/templates/*.xsl $(PLACE)/share/cpis/web/templates/
	install -m 644 $(WEB)/assets/* $(PLACE)/share/cpis/web/assets/
	$(foreach section,1 5 8,install -m 644 $(filter %.$(section),$(MANUAL)) $(PLACE)/share/man/man$(section)/;)
	install -m 644 $(BUILD)/completion/bash/* $(PLACE)/share/bash-completion/completions/
	$(foreach program,cpis cpis-broker,install -m 644 $(BUILD)/completion/zsh/$(program) $(PLACE)/share/zsh/vendor-completions/_$(program);)

deps-deb: deps-npm ## install what `make deb` and `make test-package` need besides
	@tests/install.sh $(DEB_PACKAGES)

# Beside the other things built: build/deb/VERSION is the source tree, with debian/ where it is looked for.
deb: deps-deb ## the Debian packages, into build/ (VERSION=x for another one)
	@$(MAKE) --no-print-directory -j$$(nproc) programs web manual $(BUILD)/python/cpis_pb2.py
	@BUILD=$(BUILD) VERSION=$(VERSION) broker/debian/build.sh

test-package: deb ## install, run, upgrade and purge the packages on a bare Debian 12 under systemd, as root
	@BUILD=$(BUILD) VERSION=$(VERSION) tests/package/package.sh

# Builds nothing: what `make libcpis` made goes to its places.
LIBDIR ?= $(PREFIX)/lib
place-libcpis:
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(addprefix $(DESTDIR)$(PREFIX)/,include/cpis/proto share/man/man3)
	install -m 644 $(INSTALLED_A) $(INSTALLED_SO) $(DESTDIR)$(LIBDIR)/
	ln -sfn $(notdir $(INSTALLED_SO)) $(DESTDIR)$(LIBDIR)/libcpis.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' clients/libcpis/libcpis.pc.in \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/libcpis.pc
	install -m 644 clients/libcpis/cpis.h $(DESTDIR)$(PREFIX)/include/cpis/
	install -m 644 $(BUILD)/gen/proto/cpis.pb-c.h $(DESTDIR)$(PREFIX)/include/cpis/proto/
	install -m 644 $(BUILD)/man3/*.3 $(DESTDIR)$(PREFIX)/share/man/man3/

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

# ------------------------------------------------------------------ how

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h &: %.proto proto/cpis.proto
	@mkdir -p $(BUILD)/gen
	@echo "  PROTOC $<"
	$(Q)protoc-c -I. --c_out=$(BUILD)/gen $<

$(FLAGS):
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@

# Generated code is not ours to warn about.
$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(FLAGS) | $(GEN_HEADERS)
	@echo "  CC     $<"
	$(Q)$(CC) $(CPPFLAGS) -std=c11 $(CFLAGS) $(HARDENING) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c $(FLAGS) | $(GEN_HEADERS)
	@mkdir -p $(@D)
	@echo "  CC     $<"
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Without optimisation: gcc 12 looks at what it has inlined again in each place, and does not end with uthash's macros.
# Where an analyser cannot read a file there is no result, and the next run tries again.
ANALYSED := $(sort $(wildcard $(foreach layer,proto certs broker,$(layer)/*.c) clients/*/*.c tests/*/*.c tests/unit/*/*.c))
# Benchmarks serve nobody.
ANALYSED := $(filter-out tests/bench/%,$(ANALYSED))
# The examples see an installed library.
$(BUILD)/analyse/clients/examples/%.plist: CPPFLAGS += -Iclients/libcpis
ANALYSE_FLAGS = $(CPPFLAGS) -std=c11 $(shell pkg-config --cflags $(LIBRARIES) pangocairo check 2>/dev/null)
$(BUILD)/analyse/clients/web/main.plist: CPPFLAGS += -DCPIS_WEB_SHARE='"$(WEB_SHARE)"'
# Of these gcc would prove for ten minutes and more that two paths through uthash's macros cannot be taken.
$(addprefix $(BUILD)/analyse/broker/,zap_handles.plist intake.plist): ANALYSE_FLAGS += -fno-analyzer-feasibility
analysed: $(patsubst %.c,$(BUILD)/analyse/%.plist,$(ANALYSED))
$(BUILD)/analyse/%.plist: %.c | $(GEN_HEADERS)
	@mkdir -p $(@D)
	@echo "  ANALYSE $<"
	$(Q)gcc $(ANALYSE_FLAGS) -O0 -fanalyzer -Wanalyzer-too-complex -fdiagnostics-plain-output -MMD -MP -MF $(@:.plist=.d) -MT $@ \
		-c -o /dev/null $< 2> $(@:.plist=.gcc) || { cat $(@:.plist=.gcc) >&2; exit 1; }
	$(Q)clang --analyze -Xclang -analyzer-output=plist $(filter-out -f%,$(ANALYSE_FLAGS)) -o $@ $< 2> $(@:.plist=.clang) \
		|| { cat $(@:.plist=.clang) >&2; exit 1; }

vpath %.md broker/man clients/man
$(BUILD)/man/%: %.md broker/man/manual.sh broker/README.md clients/README.md clients/hl7/README.md clients/mesh/README.md clients/web/README.md clients/fhir/README.md $(PROGRAMS)
	@mkdir -p $(@D)
	@echo "  MAN    $(@F)"
	$(Q)BUILD=$(BUILD) VERSION=$(VERSION) broker/man/manual.sh $< > $@
$(BUILD)/completion/%: broker/man/completion.sh $(PROGRAMS)
	@mkdir -p $(@D)
	@echo "  COMP   $*"
	$(Q)BUILD=$(BUILD) broker/man/completion.sh $(subst /, ,$*) > $@

# Clients in other languages: what protoc makes for Python, and what tsc makes of the client and its tests.
TYPESCRIPT := $(BUILD)/typescript
interop: $(VECTORS) $(INTEROP_STAGE) $(BUILD)/python/cpis_pb2.py $(TYPESCRIPT)/out/src/cpis.js
$(BUILD)/python/cpis_pb2.py: proto/cpis.proto
	@mkdir -p $(@D)
	@echo "  PROTOC $< (Python)"
	$(Q)protoc -Iproto --python_out=$(@D) $<
$(TYPESCRIPT)/out/src/cpis.js: $(wildcard clients/typescript/src/*.ts tests/interop/*.ts) clients/typescript/tsconfig.json proto/cpis.proto \
		| $(TYPESCRIPT)/node_modules
	@echo "  TSC    clients/typescript"
	$(Q)rm -rf $(TYPESCRIPT)/src $(TYPESCRIPT)/interop $(TYPESCRIPT)/out && mkdir -p $(TYPESCRIPT)/interop
	$(Q)cp -r clients/typescript/src clients/typescript/tsconfig.json proto/cpis.proto $(TYPESCRIPT)/ && cp tests/interop/*.ts $(TYPESCRIPT)/interop/
	$(Q)cd $(TYPESCRIPT) && node_modules/.bin/tsc

# npm's packages are built beside the sources, by their lock files.
$(TYPESCRIPT)/node_modules: clients/typescript/package.json clients/typescript/package-lock.json
$(WEB)/npm/node_modules: clients/web/package.json clients/web/package-lock.json
$(WEB)/tests/node_modules: tests/web/package.json tests/web/package-lock.json
$(FHIR_MODULES): tests/fhir/package.json tests/fhir/package-lock.json
$(SBOM_SCHEMA): tests/sbom/package.json tests/sbom/package-lock.json
$(WEB)/npm/node_modules $(WEB)/tests/node_modules $(TYPESCRIPT)/node_modules $(SBOM_SCHEMA) $(FHIR_MODULES):
	@mkdir -p $(@D)
	@echo "  NPM    $(<D)"
	$(Q)cp $^ $(@D)/ && cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules
$(WEB)/assets/web.css: clients/web/assets/web.scss | $(WEB)/npm/node_modules
	@mkdir -p $(@D)
	@echo "  SASS   $<"
	$(Q)$(WEB)/npm/node_modules/.bin/sass --style=compressed --no-source-map --quiet-deps --load-path=$(WEB)/npm/node_modules $< $@
$(WEB)/assets/web.js $(WEB)/assets/icon.svg: $(WEB)/%: clients/web/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(WEB)/assets/%.gz: $(WEB)/assets/%
	$(Q)gzip -9nk --force $<
$(WEB)/templates/%.xsl: clients/web/templates/%.xsl
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(PROTO_A): $(proto_OBJ)
$(CERTS_A): $(certs_OBJ)
$(BROKER_A): $(broker_OBJ)
$(CLIENT_A): $(client_OBJ)
$(CLI_A): $(cli_OBJ)
$(DRILL_A): $(drill_OBJ)
$(RESPONDERS_A): $(responders_OBJ)
$(HTTP_A): $(http_OBJ)
$(FHIR_A): $(fhir_OBJ)
$(WEB_A): $(web_OBJ)
$(HARNESS_A): $(harness_OBJ)
$(BENCH_A): $(bench_OBJ)
$(FUZZ_A): $(fuzz_OBJ)
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@echo "  AR     $@"
	$(Q)ar rcs $@ $^

# Into a program or a shared object alike.
$(client_OBJ) $(proto_OBJ) $(certs_OBJ): HARDENING += -fPIC -fno-semantic-interposition
# A linker that is given `defs` is told of no sanitizer's own functions.
$(INSTALLED_SO): $(client_OBJ) $(PROTO_A) $(CERTS_A) $(LIBCPIS_MAP)
	@mkdir -p $(@D)
	@echo "  LINK   $@"
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,--version-script,$(LIBCPIS_MAP) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
		$(if $(SANITIZE),-fsanitize=$(SANITIZE),-Wl,-z,defs) -o $@ $(filter %.o %.a,$^) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_CLIENT)
# One object, whose names are those of libcpis.map too: a program may have an arena_init of its own.
$(INSTALLED_A): $(client_OBJ) $(PROTO_A) $(CERTS_A) $(LIBCPIS_MAP)
	@mkdir -p $(@D)
	@rm -f $@
	@echo "  AR     $@"
	$(Q)ld -r -o $(@:.a=.o) $(filter %.o %.a,$^)
	$(Q)sed -n 's/^\t\(cpis_.*\);$$/\1/p' $(LIBCPIS_MAP) > $(@:.a=.names)
	$(Q)objcopy --wildcard --keep-global-symbols=$(@:.a=.names) $(@:.a=.o)
	$(Q)ar rcs $@ $(@:.a=.o)
$(BUILD)/man3/.made: clients/man/man3.py clients/libcpis/cpis.h
	@echo "  MAN    $(@D)"
	$(Q)VERSION=$(VERSION) clients/man/man3.py clients/libcpis/cpis.h $(@D)
	@touch $@

$(BUILD)/cpis-broker: $(BUILD)/broker/main.o $(BROKER_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_BROKER)
$(BUILD)/cpis: $(BUILD)/clients/cli/main.o $(DRILL_A) $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_CLIENT) $(LIBS_CLI)
$(web_OBJ) $(BUILD)/clients/web/main.o: ALL_CFLAGS += -I/usr/include/libxml2 -DCPIS_WEB_SHARE='"$(WEB_SHARE)"'
$(BUILD)/cpis-web: $(BUILD)/clients/web/main.o $(WEB_A) $(HTTP_A) $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_CLIENT) $(LIBS_CLI) $(LIBS_WEB) $(LIBS_HTTP) $(LIBS_CERTS)
$(BUILD)/cpis-fhir: $(BUILD)/clients/fhir/main.o $(FHIR_A) $(HTTP_A) $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_CLIENT) $(LIBS_CLI) $(LIBS_HTTP) $(LIBS_CERTS)
$(BUILD)/cpis-fhir-notify: $(BUILD)/clients/fhir/notify_main.o $(FHIR_A) $(HTTP_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_NOTIFY) $(LIBS_CERTS)
# Their headers are not ours to warn about.
$(sheet_OBJ): ALL_CFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags pangocairo cairo-pdf 2>/dev/null))
$(BUILD)/cpis-contact-sheet: $(sheet_OBJ) $(PROTO_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_SHEET)
$(BUILD)/cpis-%: $(BUILD)/clients/%/main.o $(RESPONDERS_A) $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	@echo "  LINK   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_CLIENT) $(LIBS_CLI) $(LIBS_RESPONDERS)

link_test = @echo "  LINK   $@"; $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
# libssl where a test is a browser, tests/harness/browser.c; jansson where it reads JSON.
CHECK_LIBS = -Wl,--as-needed -lssl -ljansson -Wl,--no-as-needed $(shell pkg-config --libs check 2>/dev/null)
$(TESTS_proto): $(BUILD)/%: $(BUILD)/%.o $(PROTO_A)
	$(link_test) $(LIBS_PROTO) $(CHECK_LIBS)
$(TESTS_certs) $(filter-out $(TOOLS_log),$(TOOLS)): $(BUILD)/%: $(BUILD)/%.o $(CERTS_A)
	$(link_test) $(LIBS_CERTS) -lp11-kit $(CHECK_LIBS)
$(addprefix $(BUILD)/tests/unit/certs/,test_passkey test_tls_handshake test_staff_certificates): $(BUILD)/tests/harness/browser.o
$(TESTS_broker): $(BUILD)/%: $(BUILD)/%.o $(HARNESS_A) $(BROKER_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_BROKER) $(CHECK_LIBS)
# What the tests of one subject share.
tests_of = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/$(1)*.c))
$(call tests_of,unit/certs/test_identity): $(BUILD)/tests/unit/certs/recipe.o
$(addprefix $(BUILD)/tests/unit/proto/test_wire_,envelope limits limits_oversight): $(BUILD)/tests/unit/proto/asked.o
$(addprefix $(BUILD)/tests/unit/proto/test_wire_,log operations retention): $(BUILD)/tests/unit/proto/whole.o
$(call tests_of,unit/broker/test_register): $(BUILD)/tests/unit/broker/register_files.o
$(addprefix $(BUILD)/tests/unit/broker/,test_front test_front_crowds test_front_ends test_front_lies): $(BUILD)/tests/unit/broker/real_front.o
$(addprefix $(BUILD)/tests/unit/broker/,test_closed_sessions test_quarantine test_roles): $(BUILD)/tests/unit/broker/sealed_store.o
$(addprefix $(BUILD)/tests/unit/broker/,test_zap test_zap_enrolling test_zap_thread): $(BUILD)/tests/unit/broker/zap_asker.o
$(addprefix $(BUILD)/tests/scenario/,test_browser_proofs test_browser_acts test_signing_out): $(BUILD)/tests/scenario/proven_registrar.o
$(addprefix $(BUILD)/tests/scenario/,test_inbox test_inbox_times): $(BUILD)/tests/scenario/brighton_inbox.o
$(call tests_of,scenario/test_enrolment): $(BUILD)/tests/scenario/enrolling.o
$(call tests_of,system/test_lying_): $(BUILD)/tests/system/lied_to.o
$(call tests_of,scenario/test_files): $(BUILD)/tests/scenario/numbered_file.o
# The contract's tests, by subject.
$(BUILD)/tests/unit/broker/test_store: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/broker/store_*.c))
$(TESTS_clients): $(BUILD)/%: $(BUILD)/%.o $(FHIR_A) $(HTTP_A) $(RESPONDERS_A) $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_CLIENT) $(LIBS_CLI) $(LIBS_RESPONDERS) $(CHECK_LIBS)
$(BUILD)/tests/unit/clients/test_http_server: $(HTTP_A)
$(BUILD)/tests/unit/clients/test_http_server: CHECK_LIBS += $(LIBS_HTTP)
$(TESTS_bench): $(BUILD)/tests/unit/bench/test_%: $(BUILD)/tests/unit/bench/test_%.o $(BUILD)/tests/bench/%.o
	$(link_test) $(CHECK_LIBS)
$(TESTS_scenario): $(BUILD)/%: $(BUILD)/%.o $(HARNESS_A) $(BROKER_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_BROKER) $(CHECK_LIBS)
LINKED_WITH_ALL := $(HARNESS_A) $(CLI_A) $(CLIENT_A) $(BROKER_A) $(PROTO_A) $(CERTS_A)
link_with_all = $(link_test) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_BROKER) $(LIBS_CLIENT) $(LIBS_CLI) $(CHECK_LIBS)
# These make logs as the benchmarks do.
$(TOOLS_log) $(BUILD)/tests/system/test_tamper_table: $(BUILD)/tests/bench/log_maker.o
# This one loads the broker as they do.
$(BUILD)/tests/system/test_kill_batches: $(addprefix $(BUILD)/tests/bench/,$(addsuffix .o,buffer ending histogram link link_curve load \
	plan_maker queries town town_people))
$(BUILD)/tests/soak/soak: $(addprefix $(BUILD)/tests/bench/,$(addsuffix .o,buffer ending histogram link link_curve load plan_maker queries searches \
	servers town town_people))
$(VECTORS): $(filter-out %/vectors.o,$(vectors_OBJ))
$(TESTS_system) $(TOOLS_log) $(SOAK) $(UPGRADE) $(VECTORS) $(INTEROP_STAGE): $(BUILD)/%: $(BUILD)/%.o $(LINKED_WITH_ALL)
	$(link_with_all)
$(FHIR_PLAIN): $(BUILD)/%: $(BUILD)/%.o $(HTTP_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_HTTP) $(LIBS_CERTS)
$(FHIR_ITEMS): $(BUILD)/%: $(BUILD)/%.o $(CLI_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CLI)
$(FHIR_DIRECT): $(BUILD)/%: $(BUILD)/%.o $(CLI_A) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CLIENT) $(LIBS_CLI) $(LIBS_CERTS)
$(CLUSTER): $(BUILD)/%: $(BUILD)/%.o $(cluster_OBJ) $(CLIENT_A) $(PROTO_A) $(CERTS_A)
	$(link_test) $(LIBS_PROTO) $(LIBS_CERTS) $(LIBS_CLIENT) -lpthread
$(BUILD)/tests/system/test_event_loop: CHECK_LIBS += -levent_core
$(DRILL): | $(SHIMS)
$(BUILD)/tests/shim/%.so: tests/shim/%.c tests/shim/%.h $(FLAGS)
	@mkdir -p $(@D)
	@echo "  SHIM   $@"
	$(Q)$(CC) $(CPPFLAGS) -std=c11 $(CFLAGS) $(WARNINGS) -fPIC -shared -Wl,-z,now -o $@ $<
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(BENCH_A) $(LINKED_WITH_ALL)
	$(link_with_all) -lssl
# Of LINKED_WITH_ALL each takes what it needs.
$(FUZZERS): $(BUILD)/%: $(BUILD)/%.o $(FUZZ_A) $(RESPONDERS_A) $(LINKED_WITH_ALL)
	$(link_with_all) $(CFLAGS) -fsanitize=fuzzer -Wl,--wrap=arena_init,--wrap=arena_done $(LIBS_RESPONDERS)

.SECONDARY:
-include $(shell find $(BUILD) \( -path $(BUILD)/deb -o -path $(BUILD)/previous -o -name node_modules \) -prune -o -type f -name '*.d' -print 2>/dev/null)
