# Builds the C tests into $(OUT)/agent-test and runs them. Included by ../Makefile.

T := $(OUT)/agent-test
CXX ?= c++
TEST_FLAGS := -O1 -g -fno-builtin -Wall -Wextra -Wshadow
TEST_C := $(CC) -std=gnu11 $(TEST_FLAGS)
TEST_CXX := $(CXX) -std=c++17 $(TEST_FLAGS)
TEST_HEADERS := $(wildcard test/*.h test/target/*.h) $(HEADERS)

# Programs that judge themselves by the segment, and programs that are compared with a bare run.
JUDGES := every-hook faulty stack
TARGETS := values deaths plain corners
TEST_PROGRAMS := $(addprefix $(T)/, seen $(JUDGES) $(TARGETS) operators operators-static partial-new arena-user late-cxx \
  late.so beside many toy first)

$(T)/reader.o: test/reader.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_C) -c -o $@ $<

$(T)/seen: test/seen.c $(T)/reader.o $(TEST_HEADERS)
	$(TEST_C) -o $@ $< $(T)/reader.o

$(JUDGES:%=$(T)/%): $(T)/%: test/target/%.c $(T)/reader.o $(TEST_HEADERS)
	$(TEST_C) -Wl,-z,now -pthread -o $@ $< $(T)/reader.o -ldl

$(TARGETS:%=$(T)/%) $(T)/late-cxx: $(T)/%: test/target/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_C) -w -pthread -o $@ $< -ldl

$(T)/operators $(T)/partial-new: $(T)/%: test/target/%.cc
	@mkdir -p $(@D)
	$(TEST_CXX) -w -o $@ $<
$(T)/operators-static: test/target/operators.cc
	@mkdir -p $(@D)
	$(TEST_CXX) -w -static-libstdc++ -static-libgcc -o $@ $<

# Dynamically linked to musl, when there is a compiler for it.
MUSL_CC := $(shell command -v musl-gcc 2>/dev/null)
ifneq ($(MUSL_CC),)
TEST_PROGRAMS += $(T)/musl-plain $(T)/musl-every-hook $(T)/musl-threads
endif
$(T)/musl-%: test/target/%.c test/storm.c test/reader.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(MUSL_CC) -std=gnu11 $(TEST_FLAGS) -pthread -o $@ $< test/storm.c test/reader.c

# Storms keep books of their own.
STORMS := threads signals forks fork-load
$(T)/storm.o: test/storm.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_C) -c -o $@ $<
$(STORMS:%=$(T)/%): $(T)/%: test/target/%.c $(T)/storm.o $(T)/reader.o $(TEST_HEADERS)
	$(TEST_C) -pthread -o $@ $< $(T)/storm.o $(T)/reader.o
TEST_PROGRAMS += $(STORMS:%=$(T)/%) $(T)/libsafe-malloc.so $(T)/libsafe-chunks.so
$(T)/libsafe-chunks.so: test/library/safe-malloc.c
	@mkdir -p $(@D)
	$(TEST_C) -DLIKE_GLIBC -fPIC -shared -Wl,-soname,$(@F) -o $@ $<

# An agent whose system calls can be made to fail, and the sweep over them.
FAULTS := $(T)/faults
$(FAULTS)/%.o: %.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(AGENT_FLAGS) -DEDL_FAULTS -c -o $@ $<
$(FAULTS)/faults.o: test/faults.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(AGENT_FLAGS) -DEDL_FAULTS -c -o $@ $<
$(T)/libedleak-faults.so: $(SOURCES:%.c=$(FAULTS)/%.o) $(FAULTS)/faults.o $(OUT)/agent/agent.map
	sed 's/^local:/edl_fault_calls; local:/' $(OUT)/agent/agent.map > $(FAULTS)/agent.map
	$(CC) $(AGENT_LINK) -Wl,--version-script=$(FAULTS)/agent.map -o $@ $(filter %.o,$^)
$(T)/sweep: test/sweep.c $(TEST_HEADERS)
	$(TEST_C) -o $@ $<
TEST_PROGRAMS += $(T)/libedleak-faults.so $(T)/sweep

# Libraries, found by the programs beside them.
BESIDE := -Wl,--no-as-needed -L$(T) -Wl,-rpath,'$$ORIGIN'
$(T)/lib%.so: test/library/%.c
	@mkdir -p $(@D)
	$(TEST_C) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(T)/lib%.so: test/library/%.cc
	@mkdir -p $(@D)
	$(TEST_CXX) -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(T)/late.so: test/library/late.cc
	@mkdir -p $(@D)
	$(TEST_CXX) -fPIC -shared -o $@ $<
$(T)/arena-user: test/target/arena-user.cc $(T)/libarena-new.so
	$(TEST_CXX) -o $@ $< $(BESIDE) -larena-new
$(T)/beside: test/target/beside.c $(T)/libbeside.so
	$(TEST_C) -o $@ $< $(BESIDE) -lbeside
$(T)/toy: test/target/plain.c $(T)/libtoy-malloc.so
	$(TEST_C) -o $@ $< $(BESIDE) -ltoy-malloc
$(T)/first: test/target/plain.c $(T)/libfirst-event.so
	$(TEST_C) -o $@ $< $(BESIDE) -lfirst-event

# More libraries than any table of ours could hold: copies of one that has nothing.
$(T)/many: test/target/plain.c
	@mkdir -p $(T)/many.libs
	echo 'int edl_test_empty;' | $(TEST_C) -fPIC -shared -x c -o $(T)/many.libs/1.so -
	for i in $$(seq 2 300); do cp $(T)/many.libs/1.so $(T)/many.libs/$$i.so; done
	$(TEST_C) -o $@ $< -Wl,--no-as-needed -Wl,-rpath,'$$ORIGIN/many.libs' $$(seq -f '$(T)/many.libs/%g.so' 300)

# Unit tests: the agent's files without the hooks, under each kind of sanitizer.
UNIT_SOURCES := allocers bigblocks directory dynsym evidence find fork modules segment threads
UNIT_FLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Wshadow -DEDL_FAULTS -pthread
FLAGS_address := -fsanitize=address,undefined -fno-sanitize-recover=undefined
FLAGS_thread := -fsanitize=thread
FLAGS_undefined := -fsanitize=undefined -fno-sanitize-recover=undefined
UNITS_address := tag allocers bigblocks segment evidence find
UNITS_thread := allocers bigblocks segment evidence
UNITS_undefined := segment find

define UNIT_RULES
$(T)/$(1)/%.o: %.c $(TEST_HEADERS)
	@mkdir -p $$(@D)
	$(CC) $(UNIT_FLAGS) $(FLAGS_$(1)) -c -o $$@ $$<
$(T)/$(1)/fakes.o: test/unit/fakes.c $(TEST_HEADERS)
	@mkdir -p $$(@D)
	$(CC) $(UNIT_FLAGS) $(FLAGS_$(1)) -c -o $$@ $$<
$(T)/$(1)/unit-%: test/unit/%.c $(UNIT_SOURCES:%=$(T)/$(1)/%.o) $(T)/$(1)/fakes.o $(TEST_HEADERS)
	$(CC) $(UNIT_FLAGS) $(FLAGS_$(1)) -o $$@ $$(filter %.c %.o,$$^)
$(T)/$(1)/unit-find: test/unit/find.c $(T)/$(1)/find.o $(T)/$(1)/dynsym.o $(T)/libnames-sysv.so $(T)/libnames-gnu.so
	$(CC) $(UNIT_FLAGS) $(FLAGS_$(1)) -o $$@ $$(filter %.c %.o,$$^) -Wl,--no-as-needed \
	  -L$(T) -Wl,-rpath,'$$$$ORIGIN/..' -lnames-sysv -lnames-gnu -ldl
TEST_PROGRAMS += $(UNITS_$(1):%=$(T)/$(1)/unit-%)
endef
$(foreach sanitizer,address thread undefined,$(eval $(call UNIT_RULES,$(sanitizer))))

$(T)/libnames-%.so: test/rules.mk
	@mkdir -p $(@D)
	for i in $$(seq 0 199); do echo "void $*_$$i(void) {}"; done | \
	  $(CC) -fPIC -shared -Wl,--hash-style=$* -Wl,-soname,$(@F) -x c -o $@ -

test-programs: $(TEST_PROGRAMS)

test: all
	@$(MAKE) --silent -j2 test-programs
	@T="$$(cd '$(T)' && pwd)" sh test/run.sh

# Needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
ARM := $(OUT)/aarch64
test-aarch64:
	@$(MAKE) --silent CC=aarch64-linux-gnu-gcc OUT=$(ARM) $(ARM)/libedleak.so \
	  $(addprefix $(ARM)/agent-test/,every-hook threads signals forks values libsafe-malloc.so libsafe-chunks.so)
	@T="$$(cd '$(ARM)/agent-test' && pwd)" sh test/run.sh aarch64

.PHONY: test test-programs test-aarch64
