# vmaccountant: `make help` lists the targets.
#
# Everything that is built goes below $(BUILD), so that builds with another
# compiler or a sanitizer stand beside the usual one:
#     make BUILD=build-clang CC=clang

BUILD  ?= build
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g

# A warning is an error here; who packages with a compiler of another age says
# `make WERROR=`.
WERROR   := -Werror
STANDARD := -std=c11 -D_GNU_SOURCE -Isrc
WARNINGS := -Wall -Wextra -Wconversion -Wshadow $(WERROR)

# Beside CFLAGS and LDFLAGS and after them, so that a user's do not take it
# away. `make check-hardening` looks for each in the module.
HARDENED_CODE   := -fvisibility=hidden -fstack-protector-strong -include src/base/hardening.h
HARDENED_MODULE := -Wl,-z,relro,-z,now,-z,noexecstack

# bash, for pipefail: a test that is piped into a log must not lose its status.
SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:

# --- Libraries ---------------------------------------------------------------

# Asked for when something is compiled, not when this file is read: a new
# machine gets pkg-config only in the course of `make demo`. A module has Lua's
# functions from the interpreter that loads it, so it is never linked with Lua.
# Lua's name is looked for once.
LUA       = $(eval LUA := $(or $(shell scripts/lua_package),lua5.4))$(LUA)
LIBRARIES = libvirt libxml-2.0 libmnl

# $(call pkg_config,OPTION,PACKAGES)
pkg_config = $(or $(shell pkg-config $(1) $(2)),$(error pkg-config does not find \
  $(2): run ./install-dependencies build))

# Who knows where the headers and libraries are, as LuaRocks does, says so with
# INCLUDES (-I...) and LIBS (-L... -l...), and pkg-config is not asked.
INCLUDES = $(call pkg_config,--cflags,$(LUA) $(LIBRARIES))
LIBS     = $(call pkg_config,--libs,$(LIBRARIES))

# --- Sources -----------------------------------------------------------------

CORE        := $(wildcard src/core/*.c)
BINDING     := $(wildcard src/binding/*.c)
SOURCES     := $(filter-out src/preload/%,$(wildcard src/*/*.c))
WITHOUT_LUA := $(filter-out $(BINDING),$(SOURCES))
C_TESTS    := $(wildcard spec/*/*_test.c)
C_FILES    := $(wildcard src/*/*.[ch] spec/*/*.[ch] bench/*.[ch])
LUA_FILES  := $(wildcard lua/vmaccountant/*.lua)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

MODULE        := $(BUILD)/vmaccountant/core.so
PRELOAD       := $(BUILD)/vmaccountant/preload.so
TEST_PROGRAMS := $(C_TESTS:%.c=$(BUILD)/%)

# Where `require "vmaccountant"` finds this tree; `;;` is Lua's default path.
LUA_PATH_HERE  := $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;
LUA_CPATH_HERE := $(CURDIR)/$(BUILD)/?.so;;
HERE           := LUA_PATH="$(LUA_PATH_HERE)" LUA_CPATH="$(LUA_CPATH_HERE)"

# --- Building ----------------------------------------------------------------

.PHONY: all programs
all: $(MODULE) $(PRELOAD)
programs: all $(TEST_PROGRAMS)

$(MODULE): $(call objects,$(SOURCES))
	@mkdir -p $(@D)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) $(HARDENED_MODULE) $^ -o $@ $(LIBS) -lpthread

$(PRELOAD): $(BUILD)/src/preload/preload.o
	@mkdir -p $(@D)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) $(HARDENED_MODULE) $^ -o $@

# The Makefile is a prerequisite because the flags are in it.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(CFLAGS) $(CPPFLAGS) -fPIC $(HARDENED_CODE) -MMD -MP \
	  $(INCLUDES) -c $< -o $@

# Make would delete the objects of the test programs as intermediate files.
.SECONDARY:

-include $(patsubst %.c,$(BUILD)/%.d,$(wildcard src/*/*.c) $(C_TESTS))

# --- C tests -----------------------------------------------------------------

# What is tested says what it is linked with: a test of src/core with src/core
# and nothing else, which proves that the core needs nothing else.
CORE_TESTS       := $(patsubst src/%.c,$(BUILD)/spec/%_test,$(CORE))
BINDING_TESTS    := $(filter $(BUILD)/spec/binding/%,$(TEST_PROGRAMS))
OTHER_TESTS      := $(filter-out $(CORE_TESTS) $(BINDING_TESTS),$(TEST_PROGRAMS))

$(CORE_TESTS): $(BUILD)/%_test: $(BUILD)/%_test.o $(call objects,$(CORE))
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(OTHER_TESTS): $(BUILD)/%_test: $(BUILD)/%_test.o $(call objects,$(WITHOUT_LUA))
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) $^ -o $@ $(call pkg_config,--libs,$(LIBRARIES)) -lpthread

# The test of the counters has the kernel refuse some requests.
$(BUILD)/spec/kernel/link_stats_test: WRAP = -Wl,--wrap=mnl_socket_sendto,--wrap=mnl_socket_recvfrom

$(BINDING_TESTS): $(BUILD)/%_test: $(BUILD)/%_test.o $(call objects,$(SOURCES))
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) $^ -o $@ \
	  $(call pkg_config,--libs,$(LUA) $(LIBRARIES)) -lpthread

# A machine goes between two calls.
$(BUILD)/spec/binding/undefined_machine_test: WRAP = -Wl,--wrap=virDomainLookupByUUID

# The allocation test stands between the sources and these functions.
wrapped = malloc calloc realloc strdup free \
          virConnectOpenReadOnly virConnectOpen virConnectRef virConnectClose
$(BUILD)/spec/binding/allocation_test: WRAP = $(wrapped:%=-Wl,--wrap=%)

# Runs all of them, also after one has failed.
.PHONY: test-c
test-c: $(TEST_PROGRAMS)
	@passed=0; failed=0; \
	for program in $^; do \
	  if $(C_RUNNER) $$program; then \
	    passed=$$((passed + 1)); \
	  else \
	    failed=$$((failed + 1)); echo "FAILED: $$program"; \
	  fi; \
	done; \
	echo "C tests: $$passed passed, $$failed failed"; \
	test $$failed = 0 && test $$passed != 0

# --- Lua specs ---------------------------------------------------------------

# busted started by hand, so that a sanitizer or Valgrind comes before it; else
# it would start Lua 5.4 from Lua 5.1 (see .busted).
BUSTED = VMACCOUNTANT_BUILD=$(BUILD) $(HERE) \
         $(LUA_RUNNER) lua5.4 $(shell command -v busted) --ignore-lua -o plainTerminal

# How many spec files run side by side, and how many of those have machines: these
# wait much. A guest keeps a processor while it boots: with many more guests than
# processors, what is timed becomes late.
SPEC_JOBS  ?= $(shell expr $$(nproc) + 2)
GUEST_JOBS ?= $(shell expr $$(nproc) + 1)

.PHONY: test-specs
test-specs: all
	@spec/support/run_specs $(BUILD)/specs $(SPEC_JOBS) $(GUEST_JOBS) env $(BUSTED) $(SPECS) 2>&1 | tee $(BUILD)/specs.log

# --- Checks ------------------------------------------------------------------

# Each can be run alone. `make check` runs all, also after one has failed.
CHECKS := check-lua check-format check-includes check-circles check-gcc check-clang check-hardening check-cppcheck \
          check-tidy check-docs check-rockspec check-sanitizers check-valgrind check-threads

.PHONY: check $(CHECKS)
check:
	@./install-dependencies build test check
	@failed=; \
	for check in $(CHECKS); do \
	  echo "--- $$check"; \
	  $(make) -s $$check && echo "$$check: ok" || { failed="$$failed $$check"; echo "$$check: FAILED"; }; \
	done; \
	test -z "$$failed" || { echo "make check: FAILED:$$failed"; exit 1; }; \
	echo "make check: ok"

check-lua:
	luacheck --quiet lua scripts spec examples bench .busted .luacheckrc config.ld $(ROCKSPECS)

check-format:
	clang-format --dry-run --Werror $(C_FILES)

# Who may include whom: see the script.
check-includes:
	lua5.4 scripts/check_includes.lua $(wildcard src/*/*.[ch])

# No file may need, directly or through others, a file that needs it.
check-circles: $(call objects,$(SOURCES))
	lua5.4 scripts/check_circles.lua $^

# With all warnings in force, as every build here.
check-gcc:
	$(make) $(jobs) BUILD=build-gcc CC=gcc compile
	$(make) $(jobs) $(measured) compile

check-clang:
	$(make) $(jobs) BUILD=build-clang CC=clang compile

# The usual build, and one whose user's flags would take away what they can.
check-hardening: all
	scripts/check_hardening $(MODULE)
	scripts/check_hardening $(PRELOAD)
	$(make) $(jobs) BUILD=build-hardened CFLAGS="-O1 -fno-stack-protector -fvisibility=default" \
	  LDFLAGS="-Wl,-z,lazy,-z,norelro" all
	scripts/check_hardening build-hardened/vmaccountant/core.so
	scripts/check_hardening build-hardened/vmaccountant/preload.so

.PHONY: compile
compile: programs $(call objects,$(wildcard bench/*.c))

# Suppressed, because wrong each time: an argument that is only written to
# (ctuuninitvar), the order of two tests of which neither guards the other
# (arrayIndexThenCheck).
check-cppcheck:
	mkdir -p $(BUILD)/cppcheck
	cppcheck --quiet --cppcheck-build-dir=$(BUILD)/cppcheck --error-exitcode=1 --std=c11 \
	  --enable=warning,performance,portability --inline-suppr \
	  --suppress=missingIncludeSystem --suppress=ctuuninitvar --suppress=arrayIndexThenCheck \
	  -D_GNU_SOURCE -Isrc $(wildcard src/*/*.c) $(C_TESTS)

# Only what is quick and seldom wrong. Clang's path analysis is neither: it does
# not know that lua_error does not return. Two of the others are about taste,
# and about `sizeof *pointer` of a pointer to a pointer.
tidy_checks = -*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-sizeof-expression

check-tidy:
	clang-tidy --quiet --checks='$(tidy_checks)' --warnings-as-errors='*' $(wildcard src/*/*.c) -- \
	  $(STANDARD) $(INCLUDES) 2>$(BUILD)/clang-tidy.log

# The code and what is written of it: see the script. LDoc's own warnings are
# errors here.
check-docs: $(MODULE)
	@./install-dependencies docs
	$(make) -s docs-pages
	$(HERE) lua5.4 scripts/generate_types.lua >$(BUILD)/types.lua
	$(HERE) lua5.4 scripts/check_documentation.lua $(BUILD)/types.lua $(OBJECTS)
	ldoc --quiet --fatalwarnings --dir $(BUILD)/docs/html .
	grep -q '<a name = "CreateObject">' $(BUILD)/docs/html/modules/vmaccountant.html
	grep -q '<a name = "AddMachine">' $(BUILD)/docs/html/modules/vmaccountant.simulator.html
	! grep -qE '<a name = "(CreateObject|AddMachine)">' $(BUILD)/docs/html/modules/objects.html

# The rocks' modules work, they are those that `make install` installs, and
# LuaRocks leaves nothing in the tree that Lua could load from there.
ROCKSPECS := $(wildcard *.rockspec)
rocks     := $(BUILD)/rocks

# In a copy of the tree, as in a fresh clone.
check-rockspec: all
	lua5.4 scripts/release_rockspec.lua --check
	for rockspec in $(ROCKSPECS); do luarocks lint $$rockspec || exit 1; done
	rm -rf $(rocks)
	mkdir -p $(rocks)/clone
	cp -r src lua scripts LICENSE Makefile $(ROCKSPECS) $(rocks)/clone
	cd $(rocks)/clone && find . -type f | sort >../before
	cd $(rocks)/clone && for rockspec in $(ROCKSPECS); do \
	  luarocks --lua-version 5.4 make --tree ../$$rockspec.tree $$rockspec >../log 2>&1 || { cat ../log; exit 1; } \
	done
	cd $(rocks)/clone && find . -type f -not -path './build/*' | sort | diff ../before -
	$(make) -s install DESTDIR=$(rocks)/ PREFIX=installed
	for tree in $(ROCKSPECS:=.tree) installed; do \
	  diff <(cd $(rocks)/$$tree && find share/lua lib/lua -type f | sort) \
	    <(cd $(rocks)/installed && find share/lua lib/lua -type f | sort) && \
	  scripts/check_hardening $(rocks)/$$tree/lib/lua/5.4/vmaccountant/core.so && \
	  LUA_PATH="$(rocks)/$$tree/share/lua/5.4/?.lua;$(rocks)/$$tree/share/lua/5.4/?/init.lua" \
	  LUA_CPATH="$(rocks)/$$tree/lib/lua/5.4/?.so" \
	    lua5.4 -l vmaccountant.simulator examples/network_bytes_sent.lua test:///default || exit 1; \
	done

# Of the specs, those that need no host of their own and do not watch memory or
# time.
check-sanitizers check-valgrind: export VMACCOUNTANT_NO_PRIVATE_HOST = 1

sanitized = BUILD=build-sanitize CC=gcc \
  CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

# The runtimes have to be there before lua5.4, which is built without them, and
# the library of libvirt's RPC must be there when they look for its functions to
# replace. All programs that the specs start get them too, and not even the C
# compiler is free of leaks: so leaks are left to the C tests, and to Valgrind.
preloaded = $(foreach library,libasan libubsan,$(shell gcc -print-file-name=$(library).so)) libtirpc.so.3
with_sanitizers = env LD_PRELOAD="$(preloaded)" \
  ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1

check-sanitizers:
	$(make) $(jobs) $(sanitized) programs
	$(make) -k $(sanitized) test-c test-specs LUA_RUNNER='$(with_sanitizers)' SPECS='--exclude-tags=root,slow,native'

# Any spec under the sanitizers, also one with real guests:
#     make test-sanitized SPEC_FILES=spec/guest_reset_spec.lua
.PHONY: test-sanitized
test-sanitized:
	@$(make) -s $(jobs) $(sanitized) programs
	@$(make) -s $(sanitized) test-specs LUA_RUNNER='$(with_sanitizers)'

with_valgrind = valgrind --quiet --error-exitcode=99 --child-silent-after-fork=yes \
  --suppressions=$(CURDIR)/spec/support/memcheck.supp \
  --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite

check-valgrind:
	$(make) $(jobs) programs
	$(make) -k test-c test-specs C_RUNNER='$(with_valgrind)' LUA_RUNNER='$(with_valgrind)' \
	  SPECS='--exclude-tags=root,slow,native'

# All of src/ in several threads, under two tools that see different races.
check-threads: with_helgrind = valgrind --quiet --tool=helgrind --fair-sched=yes --error-exitcode=99 \
  --suppressions=spec/support/helgrind.supp
check-threads: export G_SLICE = always-malloc
check-threads: export TSAN_OPTIONS = suppressions=spec/support/thread_sanitizer.supp
check-threads: thread_test = build-thread/spec/binding/threads_test
check-threads:
	$(make) $(jobs) BUILD=build-thread CC=gcc CFLAGS="-O1 -g -fsanitize=thread" $(thread_test)
	$(thread_test) 3
	$(if $(guests),spec/support/private_host lua5.4 spec/support/threads_on_host.lua $(thread_test) 6)
	$(make) $(jobs) $(BUILD)/spec/binding/threads_test
	$(with_helgrind) $(BUILD)/spec/binding/threads_test 3

# --- For users ---------------------------------------------------------------

# As many jobs as there are processors, unless the user has said how many.
jobs = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
make = $(MAKE) --no-print-directory

# Make is called again because it can build only once the packages are there.
# Its commands go to the log, so that a new user sees the answer and not them.
.PHONY: demo
demo:
	@./install-dependencies build
	@mkdir -p $(BUILD)
	@$(make) $(jobs) all >$(BUILD)/build.log 2>&1 || { cat $(BUILD)/build.log; exit 1; }
	@echo "The machine of libvirt's own test host (examples/network_bytes_sent.lua test:///default):"; echo
	@$(HERE) lua5.4 examples/network_bytes_sent.lua test:///default
	@echo "What events do to the counts (examples/story.lua):"; echo
	@$(HERE) lua5.4 examples/story.lua
	@echo
	@echo 'Try next, after eval "$$(make -s env)":'
	@echo '    lua5.4 examples/all_counters.lua qemu:///system   the machines of this host, with all counters'
	@echo '    lua5.4 -lvmaccountant                             vmaccountant.help() at the prompt'
	@echo '    less README.md                                    from VBScript to Lua, and what counts'

# Without root the specs that need a hypervisor host report themselves as
# pending, and its packages are not asked for.
guests := $(if $(filter 0,$(shell id -u)),guests)

.PHONY: test
test:
	@./install-dependencies build test $(guests)
	@$(make) $(jobs) programs
	@failed=; \
	$(make) -s test-c >$(BUILD)/test-c.log 2>&1 & c_tests=$$!; \
	$(make) -s test-specs || failed=yes; \
	wait $$c_tests || failed=yes; \
	cat $(BUILD)/test-c.log; \
	test -z "$$failed" || { echo "make test: FAILED"; exit 1; }; \
	echo "make test: ok"

# What of src/ the tests run, lines and branches; those with real guests when
# root, as in `make test`. Counts are atomic, since threads share them. What a
# process has run is written at its end, so a killed one adds nothing; what
# libgcov has to complain of, such as a process out of descriptors, does not go
# to the output that a spec compares.
measured    := BUILD=build-coverage CC=gcc CFLAGS="-O0 -g --coverage -fprofile-update=atomic"
gcov_errors := build-coverage/gcov-errors.log

.PHONY: coverage
coverage: export GCOV_ERROR_FILE = $(CURDIR)/$(gcov_errors)
coverage:
	@./install-dependencies build test coverage $(if $(VMACCOUNTANT_NO_PRIVATE_HOST),,$(guests))
	@$(make) $(jobs) $(measured) programs
	@find build-coverage -name '*.gcda' -delete
	@rm -f $(gcov_errors); touch $(gcov_errors); chmod a+w $(gcov_errors)
	@failed=; \
	$(make) -s $(measured) test-c || failed=yes; \
	$(make) -s $(measured) test-specs || failed=yes; \
	gcovr --root . --filter src/ --csv build-coverage/coverage.csv build-coverage && \
	awk -F, -f scripts/coverage_table.awk build-coverage/coverage.csv || failed=yes; \
	sort $(gcov_errors) | uniq -c; \
	test -z "$$failed" || { echo "make coverage: FAILED"; exit 1; }

.PHONY: bench
bench:
	@./install-dependencies build guests bench
	@$(make) $(jobs) all
	$(HERE) bench/run $(BENCH_ARGS)

.PHONY: soak
soak:
	@./install-dependencies build guests
	@$(make) $(jobs) all
	$(HERE) spec/support/private_host lua5.4 spec/soak.lua $(SOAK_ARGS)

# LDoc takes a file without @module for a mistake, and one page is made of
# several files: so it reads copies of them, each with a title. What is a
# function of a module in Lua goes to the page of that module.
binding     = $(patsubst %,src/binding/%.c,$(1))
MODEL      := $(call binding,application counter_sources event_handlers host_info collection machine accountant accountant_processor adapter task)
SIMULATION := $(call binding,simulator simulated_machine simulated_adapter simulated_disk simulated_life simulated_processor)
FUNCTIONS  := $(call binding,module constants)
OBJECTS    := $(FUNCTIONS) $(MODEL) $(SIMULATION)
PAGES      := $(patsubst %,$(BUILD)/docs/%.c,objects vmaccountant vmaccountant.simulator)

.PHONY: docs docs-pages
docs: docs-pages
	@./install-dependencies docs
	ldoc --quiet --dir doc .

# For LDoc's settings, which know of no other BUILD.
docs-pages: $(PAGES)

$(BUILD)/docs/objects.c: $(MODEL)
$(BUILD)/docs/vmaccountant.c: $(FUNCTIONS)
$(BUILD)/docs/vmaccountant.simulator.c: $(SIMULATION)
$(PAGES):
	@mkdir -p $(BUILD)/docs
	@{ printf '/***\nThe objects and their members.\n@module %s\n*/\n' $(notdir $(basename $@)); cat $^; } >$@

# Definitions for editors.
.PHONY: types
types: $(MODULE)
	$(HERE) lua5.4 scripts/generate_types.lua >$(BUILD)/types.lua
	cp $(BUILD)/types.lua lua/vmaccountant/types.lua

# Quoted, for a shell's eval.
.PHONY: env
env:
	@echo 'export LUA_PATH="$(LUA_PATH_HERE)"'
	@echo 'export LUA_CPATH="$(LUA_CPATH_HERE)"'

# The folders of Lua's path, by the names that other modules' makefiles use.
LUA_DIR  ?= $(PREFIX)/share/lua/5.4
LUA_CDIR ?= $(PREFIX)/lib/lua/5.4

# A user's path, which may have blanks, as one word of the shell.
quote = '$(subst ','\'',$(1))'
LUA_FOLDER = $(DESTDIR)$(LUA_DIR)/vmaccountant
C_FOLDER   = $(DESTDIR)$(LUA_CDIR)/vmaccountant

.PHONY: install
install: all
	install -d $(call quote,$(LUA_FOLDER)) $(call quote,$(C_FOLDER))
	install -m 644 $(LUA_FILES) $(call quote,$(LUA_FOLDER))
	install -m 755 $(MODULE) $(PRELOAD) $(call quote,$(C_FOLDER))

.PHONY: uninstall
uninstall:
	rm -f $(foreach file,$(LUA_FILES),$(call quote,$(LUA_FOLDER)/$(notdir $(file)))) \
	  $(call quote,$(C_FOLDER)/core.so) $(call quote,$(C_FOLDER)/preload.so)
	-rmdir --ignore-fail-on-non-empty $(call quote,$(LUA_FOLDER)) $(call quote,$(C_FOLDER))

# The release's rockspec, from the scm one and the version in src/.
.PHONY: rockspec
rockspec:
	lua5.4 scripts/release_rockspec.lua

# For clangd and its like.
compile_commands.json: $(SOURCES) $(C_TESTS) Makefile
	lua5.4 scripts/compile_commands.lua '$(STANDARD) $(WARNINGS) -fPIC $(CFLAGS) $(CPPFLAGS) $(call pkg_config,--cflags,$(LUA) $(LIBRARIES))' \
	  $(SOURCES) $(C_TESTS) >$@

.PHONY: clean
clean:
	rm -rf build build-* doc compile_commands.json

.PHONY: help
help:
	@echo 'make            build the C module ($(MODULE))'
	@echo 'make demo       install what is missing, build, show what it does'
	@echo 'make test       install what is missing, run all tests (those with guests: as root)'
	@echo 'make check      linters, both compilers, hardening, sanitizers, Valgrind, rockspec'
	@echo 'make test-sanitized SPEC_FILES="spec/some_spec.lua"  specs under AddressSanitizer and UBSan'
	@echo 'make coverage   run all tests, print what of src/ they run: lines and branches, by file'
	@echo 'make bench      compare with other libvirt clients, write bench/RESULTS.md (as root)'
	@echo '                (BENCH_ARGS="MACHINES [ADAPTERS]": only that many, and write nothing)'
	@echo 'make soak       many rounds on a private host (as root)'
	@echo 'make docs       the reference, in doc/'
	@echo 'make types      the definitions for editors, lua/vmaccountant/types.lua'
	@echo 'make rockspec   the rockspec of the release, after a change of the version or the scm rockspec'
	@echo 'make compile_commands.json  how each C file is compiled, for clangd'
	@echo 'make install    to PREFIX, below DESTDIR; make uninstall. The folders of Lua and C modules:'
	@echo '                LUA_DIR=PREFIX/share/lua/5.4 LUA_CDIR=PREFIX/lib/lua/5.4'
	@echo 'make env        what to eval in a shell to run scripts in the tree: eval "$$(make -s env)"'
	@echo 'make clean      remove all that was built'
