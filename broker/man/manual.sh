#!/usr/bin/env bash
# Makes a manual page from its Markdown, and the tables in it from the programs themselves: a line
#	@cpis-broker --describe settings@
# stands for what that prints, each row of a table as a paragraph with the row's first cells before it; and a line
#	@broker/README.md The policy file@
# for what stands under that heading there. Markdown because the README files are; lowdown because it is small and in Debian.
#
# usage: BUILD=build broker/man/manual.sh FOLDER/NAME.SECTION.md > NAME.SECTION
set -euo pipefail
source=$1
page=$(basename "$source" .md)

# Cells are separated by " | "; those between the first and the last one are of few words.
paragraphs() {
	awk -F ' [|] ' '
		/^[|] ---/ || /^<!--/ { next }
		/^[|]/ {
			sub(/^[|] /, ""); sub(/ [|]$/, ""); gsub(/\\[|]/, "|")
			count = split($0, cell, / [|] ?/)
			if (heading == "") { heading = $0; split($0, name, / [|] /); next }
			printf "%s", cell[1] == "" ? "*" cell[2] "*" : cell[1]
			if (cell[1] != "" && count > 2 && cell[2] != "")
				printf name[2] == "default" ? " (default: %s)" : " %s", name[2] == "default" ? cell[2] : "*" cell[2] "*"
			printf "\n: %s\n\n", cell[count]
			next
		}
		{ if (heading != "" && $0 == "") heading = ""; print }'
}

# "cpis audit review" is "cpis alert" once more.
once() {
	awk 'BEGIN { printing = 1 } /^## / { printing = !seen[$0]++ } printing'
}

# What stands under a heading, to the next one that is as high; headings below it one step higher.
section() {
	awk -v heading="$2" '
		match($0, /^#+ /) { depth = RLENGTH - 1; name = substr($0, RLENGTH + 1); if (inside && depth <= inside) exit }
		inside && match($0, /^#+ /) { sub(/^#/, "") }
		inside { gsub(/\]\([^)]*\)/, "]"); print }
		!inside && depth && name == heading { inside = depth }
		END { if (!inside) { print "manual.sh: there is no heading " heading > "/dev/stderr"; exit 1 } }' "$1"
}

fill() {
	while IFS= read -r line; do
		if [[ $line =~ ^@([a-z-]+)\ (--describe)\ ([a-z-]+)@$ ]]; then
			"${BUILD:-build}/${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}" | once | paragraphs
		elif [[ $line =~ ^@([A-Za-z/]+[.]md)\ (.*)@$ ]]; then
			section "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" | paragraphs
		else
			printf '%s\n' "$line"
		fi
	done < "$source"
}

fill | lowdown -s -Tman --out-no-smarty -M "title=${page%.*}" -M "section=${page##*.}" -M date= -M source="cpis ${VERSION:-}" -M volume="cpis manual"
