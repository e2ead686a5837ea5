#!/usr/bin/env bash
# An export of the audit log: read by software that is not ours at many sizes; whoever changes a file of it is found; it can be
# written where nothing can be changed, goes on after a kill, and makes a database again.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
stage=$(mktemp -d /tmp/cpis-export-XXXXXX)
trap 'chattr -R -f -i -a "$stage/fixed" || true; rm -rf "$stage"' EXIT
chmod 755 "$stage"
checks=0

fail() {
	echo "export.sh:${BASH_LINENO[1]}: $*" >&2
	cat "$stage/said" >&2
	exit 1
}

# expect CODE WORDS COMMAND...: the exit code, and words in what it says.
expect() {
	local code=$1 words=$2 got=0
	shift 2
	"$@" > "$stage/said" 2>&1 || got=$?
	[ "$got" = "$code" ] || fail "exit code $got, not $code: $*"
	[ -z "$words" ] || grep -qF -- "$words" "$stage/said" || fail "does not say '$words': $*"
	checks=$((checks + 1))
}

# A copy that every user can run.
cpis=$stage/cpis
cp "$build/cpis" "$cpis"
made=$stage/made
export=$made/export
key=(--log-key "$made/log.vkey")
mkdir "$made"
"$build/tests/tools/log_exports" "$made"

# ---- other software

export GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS= GOCACHE=$PWD/$build/go-cache
go build -o "$stage/export_check" tests/tools/export_check.go
proofs=()
for record in 0 1 255 256 40000 65535 65536; do
	expect 0 "" "$cpis" audit prove --database "$made/broker.db" "${key[@]}" --record "$record" --out "$stage/$record.tlog-proof"
	proofs+=("$stage/$record.tlog-proof")
done
expect 1 "no such record" "$cpis" audit prove --database "$made/broker.db" "${key[@]}" --record 65537
expect 1 "File exists" "$cpis" audit prove --database "$made/broker.db" "${key[@]}" --record 1 --out "${proofs[0]}"
expect 0 "consistency proofs" "$stage/export_check" "$export" "$made/log.vkey" "${proofs[@]}"
cat "$stage/said"

# ---- verified without the database, and made into one again

expect 0 "65537 records" "$cpis" audit verify --export "$export" "${key[@]}" --checkpoint "$export/checkpoints/70"
expect 0 "0 of them new, 0 files made" "$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$export"
expect 0 "65537 records" "$cpis" audit import --export "$export" "${key[@]}" --database "$stage/back.db"
expect 6 "File exists" "$cpis" audit import --export "$export" "${key[@]}" --database "$stage/back.db"
expect 0 "65537 records" "$cpis" audit verify --database "$stage/back.db" "${key[@]}" --checkpoint "$export/checkpoint"
expect 0 "0 of them new" "$cpis" audit export --database "$stage/back.db" "${key[@]}" --out "$export"
columns="SELECT idx, hex(salt), hex(record), hex(nodes), time_ms, organisation, hex(subject), hex(person) FROM audit ORDER BY idx"
cmp <(sqlite3 "$made/broker.db" "$columns") <(sqlite3 "$stage/back.db" "$columns")
expect 6 "was not finished" "$cpis" audit verify --export "$stage" "${key[@]}"
expect 1 "--database FILE, --postgres CONNINFO and --export DIR" "$cpis" audit verify "${key[@]}"

# ---- whoever changes it

# changed FILE WORDS: one bit in the middle of the file.
changed() {
	local file=$export/$1 words=$2
	cp "$file" "$stage/kept"
	chmod 644 "$file"
	python3 - "$file" << 'END'
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 1
open(path, "wb").write(data)
END
	expect 4 "$words" "$cpis" audit verify --export "$export" "${key[@]}"
	expect 4 "$words" "$cpis" audit import --export "$export" "${key[@]}" --database "$stage/no.db"
	[ ! -e "$stage/no.db" ] || fail "a half-made database was left"
	mv "$file" "$stage/gone"
	# What no checkpoint would miss is still missed by name.
	case $1 in
	checkpoints/*) ;;
	*) expect 4 "$file" "$cpis" audit verify --export "$export" "${key[@]}" ;;
	esac
	cp "$stage/kept" "$file"
	chmod 444 "$file"
}
changed record/000 "record 1"
changed record/255 "record 654"
changed record/256.p/1 "record 65536"
changed tile/entries/100 "record 25728"
changed tile/0/000 "record 128"
changed tile/0/256.p/1 "record 65536"
changed tile/1/000 "tile/1/000: its hashes do not follow"
changed tile/2/000.p/1 "tile/2/000.p/1: its hashes do not follow"
changed checkpoints/70 "checkpoints/70 is not a checkpoint of this log"
changed checkpoint "was not signed with this log's key"
cp "$export/checkpoints/70" "$stage/kept.70"
chmod 644 "$export/checkpoints/70"
cp "$export/checkpoints/69" "$export/checkpoints/70"
expect 4 "is the checkpoint of 69 records" "$cpis" audit verify --export "$export" "${key[@]}"
cp "$stage/kept.70" "$export/checkpoints/70"
expect 0 "65537 records" "$cpis" audit verify --export "$export" "${key[@]}"

# A pipe in a file's place keeps nobody waiting.
for file in record/100 tile/0/100 checkpoints/70 checkpoint; do
	mv "$export/$file" "$stage/kept"
	mkfifo "$export/$file"
	expect 6 "$export/$file: it is not a file" timeout 60 "$cpis" audit verify --export "$export" "${key[@]}"
	expect 6 "$export/$file: it is not a file" timeout 60 "$cpis" audit import --export "$export" "${key[@]}" --database "$stage/no.db"
	rm "$export/$file"
	mv "$stage/kept" "$export/$file"
done
expect 0 "65537 records" "$cpis" audit verify --export "$export" "${key[@]}"

# ---- a log that is not what was exported, or not what was signed, is not exported

cp "$stage/back.db" "$stage/bad.db"
sqlite3 "$stage/bad.db" "UPDATE audit SET salt = zeroblob(16) WHERE idx = 30000"
expect 4 "record 30000: record or salt" "$cpis" audit export --database "$stage/bad.db" "${key[@]}" --out "$stage/bad"
[ ! -e "$stage/bad" ] || fail "something was exported"
sqlite3 "$stage/bad.db" "DELETE FROM audit WHERE idx >= 65500"
expect 4 "record 65500: it is missing here and was exported" "$cpis" audit export --database "$stage/bad.db" "${key[@]}" --out "$export"
cp "$stage/back.db" "$stage/bad.db"
sqlite3 "$stage/bad.db" "UPDATE checkpoint SET note = replace(note, '65537', '65538')"
expect 4 "was not signed with this log's key" "$cpis" audit export --database "$stage/bad.db" "${key[@]}" --out "$stage/bad"
[ ! -e "$stage/bad" ] || fail "something was exported"
mkdir "$stage/other"
"$build/tests/tools/log_exports" "$stage/other"
expect 4 "is not a checkpoint of this log" "$cpis" audit export --database "$stage/other/broker.db" --log-key "$stage/other/log.vkey" \
	--out "$export"

# ---- where nothing can be changed: files of root in sticky folders, written to by another user

sqlite3 "$made/broker.db" ".backup $stage/read-only.db"
chmod 444 "$stage/read-only.db"
once=$stage/once
mkdir -p "$once/checkpoints"
cp -r "$export/record" "$export/tile" "$once/"
for size in 70 257; do cp "$export/checkpoints/$size" "$once/checkpoints/$size"; done
cp "$export/checkpoints/257" "$once/checkpoint"
rm -r "$once/record/x000" "$once"/tile/entries/1?? "$once"/record/2?? 2> "$stage/said" || true
find "$once" -type d -exec chmod 1777 {} +
find "$once" -type f -exec chmod 444 {} +
find "$once" -type f -printf '%p %i %T@\n' | sort > "$stage/before"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
expect 0 "cannot be replaced there; the newest is $once/checkpoints/65537" \
	"${nobody[@]}" "$cpis" audit export --database "$stage/read-only.db" "${key[@]}" --out "$once"
find "$once" -type f -printf '%p %i %T@\n' | sort | comm -23 "$stage/before" - > "$stage/said"
[ ! -s "$stage/said" ] || fail "files were changed"
cmp "$export/checkpoints/257" "$once/checkpoint"
# And a copy in a folder where the reader can write nothing is verified as well.
expect 0 "65537 records" "${nobody[@]}" "$cpis" audit verify --database "$stage/read-only.db" "${key[@]}"
expect 0 "65537 records" "${nobody[@]}" "$cpis" audit verify --export "$once" "${key[@]}"
# Something else that is there already stays, and is named.
echo x > "$once/record/000.new" && mv "$once/record/000.new" "$once/record/000"
rm "$once"/checkpoints/*
expect 4 "$once/record/000: it is there, and it is not what the log has" \
	"$cpis" audit export --database "$stage/read-only.db" "${key[@]}" --out "$once"

# The same by attributes, where the file system has them and lets us.
fixed=$stage/fixed
mkdir -p "$fixed/checkpoints"
cp -r "$export/record" "$export/tile" "$fixed/"
cp "$export/checkpoints/257" "$fixed/checkpoints/257"
cp "$export/checkpoints/257" "$fixed/checkpoint"
rm -r "$fixed"/record/2?? "$fixed/tile/1"
if find "$fixed" \( -type f -exec chattr +i {} + \) -o \( -type d -exec chattr +a {} + \) 2> "$stage/said"; then
	expect 0 "cannot be replaced there" "$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$fixed"
	expect 0 "65537 records" "$cpis" audit verify --export "$fixed" "${key[@]}"
	find "$fixed" -name '*.new*' > "$stage/said"
	[ ! -s "$stage/said" ] || fail "something was left beside"
else
	echo "chattr: not tried, this file system does not do it"
fi

# ---- no room half-way, and room again

full() { (ulimit -f 64 && trap '' XFSZ && "$@"); }
expect 6 "File too large" full "$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$stage/full"
[ ! -e "$stage/full/checkpoint" ] || fail "a checkpoint of what is not there"
expect 0 "65537 of them new" "$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$stage/full"
expect 0 "65537 records" "$cpis" audit verify --export "$stage/full" "${key[@]}"

# ---- killed half-way, it goes on

wait_files() { # DIR COUNT: until an export has so many files, or has ended
	for _ in $(seq 3000); do
		[ "$(find "$1" -type f 2> "$stage/said" | wc -l)" -lt "$2" ] && kill -0 "$pid" 2> "$stage/said" || return 0
		sleep 0.005
	done
}
killed=0
for try in 1 2 3 4 5; do
	half=$stage/half-$try
	"$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$half" > "$stage/said" 2>&1 &
	pid=$!
	wait_files "$half" 100
	kill -9 "$pid" 2> "$stage/said" || true
	{ wait "$pid" || true; } 2> "$stage/said"
	[ -e "$half/checkpoint" ] || killed=1
	[ "$killed" = 0 ] || break
done
[ "$killed" = 1 ] || fail "no export was caught half-way"
expect 6 "was not finished" "$cpis" audit verify --export "$half" "${key[@]}"
expect 0 "65537 of them new" "$cpis" audit export --database "$made/broker.db" "${key[@]}" --out "$half"
expect 0 "65537 records" "$cpis" audit verify --export "$half" "${key[@]}"
for folder in record tile checkpoint; do
	diff -r "$half/$folder" "$export/$folder" | grep -v "^Only in $export" > "$stage/said" || true
	[ ! -s "$stage/said" ] || fail "another export than at once"
done

echo "100%: Checks: $checks, Failures: 0, Errors: 0"
