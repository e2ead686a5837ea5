# Sourced: puts a table into tests/README.md in place of what stands between two marks.
# shellcheck shell=bash

# into_readme FIRST_MARK LAST_MARK TABLE_FILE
into_readme() {
	local first=$1 last=$2 table=$3 readme=tests/README.md
	if [ "$(grep -cxF -e "$first" -e "$last" "$readme")" -ne 2 ]; then
		echo "drill: $readme has not the lines '$first' and '$last'" >&2
		exit 1
	fi
	awk -v first="$first" -v last="$last" -v table="$table" '
		$0 == last { inside = 0 }
		!inside { print }
		$0 == first { inside = 1; while ((getline line < table) > 0) print line }' "$readme" > "$BUILD/drill.readme"
	cp "$BUILD/drill.readme" "$readme"
	echo "drill: $readme has the table"
}
