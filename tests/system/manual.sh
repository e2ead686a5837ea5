#!/usr/bin/env bash
# What the manual says is what the programs do: the tables in the README files are those that the programs print of themselves, every
# key of every file is explained, every program and file has a page that renders without a complaint, and the completions complete.
# UPDATE=1 writes the tables into the README files.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build} LC_ALL=C.UTF-8
checks=0
work=$(mktemp -d /tmp/cpis-manual-XXXXXX)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MAKELEVEL # this make is its own

fail() {
	echo "manual.sh: failed: $*" >&2
	echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	exit 1
}

# ------------------------------------------------------------------ tables

# A comment with the command stands before each such table.
with_tables() {
	local line command
	while IFS= read -r line || [ -n "$line" ]; do
		if [[ $line =~ ^'<!-- '(cpis[a-z-]*)' --describe '([a-z-]+)' -->'$ ]]; then
			command=("$BUILD/${BASH_REMATCH[1]}" --describe "${BASH_REMATCH[2]}")
			printf '%s\n' "$line"
			"${command[@]}" || return 1
			while IFS= read -r line && [[ $line == '|'* ]]; do :; done
		fi
		printf '%s\n' "$line"
	done < "$1"
}

for readme in broker/README.md clients/README.md clients/web/README.md clients/fhir/README.md; do
	with_tables "$readme" > "$work/readme" || fail "$readme names a table that no program has"
	tables=$(grep -c '^<!-- cpis.* --describe ' "$readme") || fail "$readme has no table of a program's"
	checks=$((checks + tables))
	if ! cmp -s "$readme" "$work/readme"; then
		[ -n "${UPDATE:-}" ] || fail "$readme differs from what the programs say; UPDATE=1 tests/system/manual.sh mends it:
$(diff "$readme" "$work/readme" | head -20)"
		cp "$work/readme" "$readme"
	fi
done
# Which ones have to be there.
for table in 'cpis-broker --describe commands' 'cpis-broker --describe settings' 'cpis-broker --describe exit-codes' 'cpis --describe exit-codes' \
	'cpis-web --describe settings' 'cpis-fhir-notify --describe settings' 'cpis-fhir-notify --describe exit-codes'; do
	checks=$((checks + 1))
	grep -qF "<!-- $table -->" broker/README.md clients/README.md clients/web/README.md clients/fhir/README.md || fail "no README has the table of $table"
done
for program in cpis-broker cpis cpis-web cpis-fhir-notify; do
	checks=$((checks + 1))
	! "$BUILD/$program" --describe nothing > "$work/said" 2>&1 || fail "$program describes nothing"
	[ -s "$work/said" ] || fail "$program refuses a topic without a word"
done
# Every topic is one that prints a table.
for topic in $("$BUILD/cpis-broker" --describe topics | sed -n 's/^| `\([a-z-]*\)`.*/\1/p'); do
	checks=$((checks + 1))
	[[ $("$BUILD/cpis-broker" --describe "$topic") == *'| ---'* ]] || fail "--describe $topic prints no table"
done

# ------------------------------------------------------------------ pages

make --no-print-directory BUILD="$BUILD" SANITIZE="${SANITIZE:-}" manual > "$work/made" 2>&1 || fail "$(cat "$work/made")"
for page in cpis.1 cpis-contact-sheet.1 cpis-fhir-notify.1 cpis-hl7.1 cpis-mesh.1 cpis-broker.8 cpis-web.8 cpis-fhir.8 cpis-responder.8 cpis-demographics.8 cpis-broker.yaml.5 cpis-policy.yaml.5 cpis-register.yaml.5 \
	cpis-profile.yaml.5 cpis-web.yaml.5; do
	checks=$((checks + 2))
	[ -s "$BUILD/man/$page" ] || fail "there is no page $page"
	said=$(groff -man -t -Kutf8 -Tutf8 -rHY=0 -P-cbou -wall -Wbreak "$BUILD/man/$page" 2>&1 > "$work/${page}.text")
	[ -z "$said" ] || fail "$page: $said"
done

# Each key of a file stands in what its page says beside the list of keys itself.
explained() {
	local page=$1 source=$2 key
	shift 2
	awk '/^ *DESCRIPTION$/ { inside = 1 } /^ *ALL KEYS$/ { inside = 0 } inside' "$work/$page.text" > "$work/prose"
	for key in $("$BUILD/$1" --describe "$2" | sed -n 's/^| `\([^`]*\)`.*/\1/p' | sed 's/.*[.]//; s/\[\]//' | sort -u); do
		checks=$((checks + 1))
		grep -qw -- "$key" "$work/prose" || fail "$page does not explain '$key': $source"
	done
}
explained cpis-policy.yaml.5 "broker/README.md, \"The policy file\"" cpis-broker policy-keys
explained cpis-register.yaml.5 "broker/README.md, \"The register file\"" cpis-broker register-keys
explained cpis-profile.yaml.5 "clients/README.md, \"The command\"" cpis profile-keys

# Every subcommand, with every option, is in cpis(1).
"$BUILD/cpis" --describe options > "$work/options"
tr -s ' \n' ' ' < "$work/cpis.1.text" > "$work/cpis.1.line"
while read -r command; do
	checks=$((checks + 1))
	grep -qF "$command" "$work/cpis.1.line" || fail "cpis(1) does not have '$command'"
done < <(sed -n 's/^## \(cpis [a-z -]*[a-z]\).*/\1/p' "$work/options" | sort -u)

# ------------------------------------------------------------------ completions

complete_bash() {
	local program=$1
	shift
	# shellcheck disable=SC2016
	bash -c 'source "$BUILD/completion/bash/$1"; name=_${1//-/_}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $name; echo "${COMPREPLY[*]}"' \
		bash "$program" "$@"
}
complete_zsh() {
	local program=$1
	shift
	# shellcheck disable=SC2016
	zsh -fc 'compadd() { local w; for w in "$@"; do case $w in -U|--) ;; *) [[ $w != $PREFIX* ]] || print -n -- "$w " ;; esac; done }
		_files() { : }
		complete_now() { source $BUILD/completion/zsh/'"$program"' }
		words=("$@"); CURRENT=$#; PREFIX=${words[-1]}; complete_now; print' zsh "$@"
}
# completes PROGRAM "WORDS" WORD...: typed so far, the last one unfinished.
completes() {
	local program=$1 wanted=$2 shell said
	shift 2
	for shell in bash zsh; do
		checks=$((checks + 1))
		said=$("complete_$shell" "$program" "$@" | tr ' ' '\n' | sed '/^$/d' | sort | tr '\n' ' ')
		[ "$said" = "$wanted " ] || fail "$shell completes '$program $*' with '$said', not '$wanted'"
	done
}
completes cpis publish cpis pub
completes cpis "search show" cpis --profile nurse.yaml audit s
completes cpis "staff subject" cpis audit report s
completes cpis --details cpis query --det
completes cpis "--help --json --profile --timeout --version" cpis --
completes cpis-broker "--rebuild-search --replace --restore" cpis-broker --re
completes cpis-broker --finish cpis-broker --move broker.yaml host=a --fi

echo "100%: Checks: $checks, Failures: 0, Errors: 0"
