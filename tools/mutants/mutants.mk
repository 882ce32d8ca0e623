# SPDX-License-Identifier: GPL-2.0-only
# One broken rule at a time, included by tools/Makefile.
#   make mutants            all; NAME="..." for some; QUICK=1 for a minute's worth
#   make mutants WRITE=1    and write docs/design/mutants.md
MUTANT_SEEDS	?= 20000
MUTANT_JOBS	?= 2

# last lines: mutants: N killed, N survived
#             N passed, N failed, N skipped
mutants: $(OUT)/sim/distsim
	@mutants/run --build $(OUT) --seeds $(MUTANT_SEEDS) \
		--jobs $(MUTANT_JOBS) $(if $(QUICK),--quick) \
		$(if $(WRITE),--write) \
		--distsim "$(notdir $(SIM_OBJ)) build_id.o" $(NAME)

.PHONY: mutants
