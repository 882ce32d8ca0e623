#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The protocol gate is judged: one row of each kind is broken in a copy, and it
# has to fail with the words for just that. What distsim would have reached is
# made up here: everything, once.
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
distsim=$top/tools/build/sim/distsim
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

copy()
{
	rm -rf "$tmp/root"
	mkdir -p "$tmp/root/tools" "$tmp/root/kmod" "$tmp/root/ctl" "$tmp/root/docs"
	cp -r "$top/docs/design" "$tmp/root/docs/"
	cp -r "$top/scripts" "$top/selftests" "$tmp/root/"
	cp -r "$top/kmod/core" "$tmp/root/kmod/"
	cp -r "$top/ctl/tests" "$tmp/root/ctl/"
	for d in tests sim scenarios event protocols mutants; do
		[ ! -d "$top/tools/$d" ] || cp -r "$top/tools/$d" "$tmp/root/tools/"
	done
	cp "$tmp/reached" "$tmp/coverage"
}

gate()
{
	python3 "$top/scripts/gate-protocol" --root "$tmp/root" \
		--coverage "$tmp/coverage" >"$tmp/out" 2>&1
}

# wanted WORDS WHAT: the gate fails, and says this line, which it did not before
wanted()
{
	n=$((n + 1))
	if gate; then
		echo "not ok $n - gate: $2: it passed"
	elif grep -qxF "missing: $1" "$tmp/before"; then
		echo "not ok $n - gate: $2: said without a cause, too"
	elif ! grep -qxF "missing: $1" "$tmp/out" ||
			! grep -qx 'gate: FAILED' "$tmp/out"; then
		echo "not ok $n - gate: $2"
		diff "$tmp/before" "$tmp/out" | head -5 | sed 's/^/# /'
	else
		echo "ok $n - gate: $2"
	fi
	copy
}

design=$tmp/root/docs/design

"$distsim" --scenario "$top/tools/scenarios/s1.txt" --coverage "$tmp/raw" >/dev/null ||
	echo "not ok - gate: distsim runs"
sed '/^unlisted/d; s/ 0$/ 1/' "$tmp/raw" >"$tmp/reached"
copy
gate
cp "$tmp/out" "$tmp/before"
n=$((n + 1))
if grep -qE '^gate: (OK|FAILED)$' "$tmp/out" &&
		tail -n 1 "$tmp/out" | grep -qE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'; then
	echo "ok $n - gate: it ends with its verdict and counts"
else
	echo "not ok $n - gate: it ends with its verdict and counts"
	head -5 "$tmp/out" | sed 's/^/# /'
fi

sed -i 's|tools/scenarios/s1.txt|tools/scenarios/s1x.txt|' "$design/scenarios.md"
wanted 'scenario S1 (scenarios.md): tools/scenarios/s1x.txt does not exist' \
	"a scenario that does not exist"

sed -i '/^| S13 /s|dirty_newest_record_wins_in_any_order|dirty_oldest|' "$design/scenarios.md"
wanted 'scenario S13 (scenarios.md): dirty_oldest is no unit test in tools/tests' \
	"a unit test that does not exist"

sed -i '/^TEST(dirty_newest_record_wins_in_any_order/s/newest/latest/' \
	"$tmp/root/tools/tests/test_dirty.c"
wanted 'scenario S13 (scenarios.md): dirty_newest_record_wins_in_any_order is no unit test in tools/tests' \
	"a unit test that was renamed"

rm "$tmp/root/selftests/test_basic_05.sh"
wanted 'scenario A-18 (scenarios.md): selftests/test_basic_05.sh does not exist' \
	"a guest test that is gone"

sed -i '/^| S20 /s/| [^|]* |$/| |/' "$design/scenarios.md"
wanted 'scenario S20 (scenarios.md): has no test' "a row without a test"

sed -i '/^| S9 /s/| [^|]* |$/| planned: issue 4 |/' "$design/scenarios.md"
wanted 'scenario S9 (scenarios.md): is planned for issue 4, which is this one' \
	"a plan that is due"

sed -i '/^| S20 /s/| dist |/| event |/' "$design/scenarios.md"
wanted 'scenario S20 (scenarios.md): is of layer event, its tests are not' \
	"a test of another layer"

sed -i '/^| P4 /d' "$design/scenarios.md"
wanted 'protocol rule P4 has no scenario row' "a protocol rule without a scenario"

touch "$tmp/root/tools/scenarios/orphan.txt"
wanted 'tools/scenarios/orphan.txt is named by no scenario row' "a script that no row names"

sed -i '/^| S20 /s/I-022/I-922/' "$design/scenarios.md"
wanted 'scenario S20 (scenarios.md): I-922 is not in invariants.md' \
	"a row that names no invariant of ours"

sed -i '/^| I-055 /s/^| I-055/| I-955/' "$design/invariants.md"
wanted 'I-955 FrozenTarget: no checker check_i955' "an invariant without a checker"

sed -i '/^| I-228 /s/| [^|]* |$/| vm |/' "$design/invariants.md"
wanted 'I-228 NonPrimaryClosed: no checker, and no unit or guest test named' \
	"an invariant without a test"

sed -i '/^| mutant | I-229 /d' "$design/coverage.md"
wanted 'mutant I-229: PayloadStable: no mutant breaks it, and coverage.md names no test' \
	"an invariant without a mutant"

sed -i '/^| mutant | I-115 /s/lo-early/lo-never/' "$design/coverage.md"
wanted 'mutant I-115: lo-never is no mutant' "a mutant that does not exist"

sed -i 's/^row peer-13 .*/row peer-13 0/' "$tmp/coverage"
wanted 'row peer-13: not reached by distsim, and coverage.md names no test' \
	"a transition that is not reached"

sed -i 's/^letter resync-K .*/letter resync-K 0/' "$tmp/coverage"
wanted 'letter resync-K: not reached by distsim, and coverage.md names no test' \
	"a case letter that is not reached"

echo 'unlisted peer: detached to in_sync by tick' >>"$tmp/coverage"
wanted 'row for a transition that happened: peer: detached to in_sync by tick' \
	"a transition that no row allows"

sed -i '/^| role-05 /d' "$design/state-model.md"
wanted 'row role-05 is not in state-model.md' "a transition that the model forgot"

python3 - "$design/contract.md" <<'END'
import re, sys
name = sys.argv[1]
text = open(name, encoding='utf-8').read()
head, tail = text.split('### G4 ')
tail = re.sub(r'\*\*Carried by\*\*.*?\n\n', '\n', tail, count=1, flags=re.S)
open(name, 'w', encoding='utf-8').write(head + '### G4 ' + tail)
END
wanted 'promise G4 names no invariant' "a promise that nothing carries"

sed -i 's/^\*\*Carried by\*\* I-001/**Carried by** I-991/' "$design/contract.md"
wanted 'promise G1: I-991 is not in invariants.md' "a promise that names no invariant of ours"

echo 'if (c->conditions & 1)' >"$tmp/root/kmod/core/lineage.c"
wanted 'I-148: lineage.c:1 reads a shown state' "a decision that reads a shown state"

echo "1..$n"
