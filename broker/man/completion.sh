#!/usr/bin/env bash
# Makes completions for bash and zsh from what the programs print of their command lines.
# usage: BUILD=build broker/man/completion.sh bash|zsh cpis|cpis-broker > FILE
set -euo pipefail
shell=$1 program=$2

# One line for each command: its words, a tab, its options. "-" is for options before any command, "*" for those that may stand anywhere.
commands() {
	if [ "$program" = cpis ]; then
		printf -- '-\t--profile --json --timeout --help --version\n'
		"${BUILD:-build}/cpis" --describe options | awk '
			/^## cpis / { line = ""; for (i = 3; i <= NF && $i ~ /^[a-z-]+$/; i++) line = line (line == "" ? "" : " ") $i; next }
			/^[|] `--/ { gsub(/`/, "", $2); options[line] = options[line] " " $2; next }
			END { for (line in options) print line "\t" substr(options[line], 2) }' | sort
	else
		"${BUILD:-build}/cpis-broker" --describe commands | awk '/^[|] `--/ { gsub(/`/, "", $2); printf "%s%s", separator, $2; separator = " " }
			BEGIN { printf "*\t" } END { print " --finish --replace --successor-of" }'
	fi
}

function_name=_${program//-/_}
case $shell in
bash)
	cat << END
# Completions of $program for bash; made by broker/man/completion.sh.
$function_name() {
	local word=\${COMP_WORDS[COMP_CWORD]} line before= known= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case \${COMP_WORDS[i]} in
		-*) [[ \${COMP_WORDS[i]} == --profile || \${COMP_WORDS[i]} == --timeout ]] && i=\$((i + 1)) ;;
		*) before+=\${before:+ }\${COMP_WORDS[i]} ;;
		esac
	done
	COMPREPLY=()
	while IFS=\$'\\t' read -r line known; do
		if [[ \$word == -* ]]; then
			[[ \$before == "\$line" || \$before == "\$line "* || \$line == "*" || (\$line == - && -z \$before) ]] && mapfile -t COMPREPLY < <(compgen -W "\$known" -- "\$word")
		elif [[ \$line == [a-z]* && (-z \$before || \$line == "\$before "*) ]]; then
			line=\${line#"\$before"}
			line=\${line# }
			[[ \${line%% *} == "\$word"* && " \${COMPREPLY[*]} " != *" \${line%% *} "* ]] && COMPREPLY+=("\${line%% *}")
		fi
	done << 'TABLE'
$(commands)
TABLE
	[[ \${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "\$word")
}
complete -o filenames -F $function_name $program
END
	;;
zsh)
	cat << END
#compdef $program
# Completions of $program for zsh; made by broker/man/completion.sh.
local line known before= i
local -a words_next options_here
for ((i = 2; i < CURRENT; i++)); do
	case \${words[i]} in
	-*) [[ \${words[i]} == --profile || \${words[i]} == --timeout ]] && i=\$((i + 1)) ;;
	*) before+=\${before:+ }\${words[i]} ;;
	esac
done
while IFS=\$'\\t' read -r line known; do
	[[ \$before == "\$line" || \$before == "\$line "* || \$line == "*" || ( \$line == - && -z \$before ) ]] && options_here=(\${=known})
	if [[ \$line == [a-z]* && ( -z \$before || \$line == "\$before "* ) ]]; then
		line=\${line#"\$before"}
		line=\${line# }
		words_next+=(\${line%% *})
	fi
done << 'TABLE'
$(commands)
TABLE
(( \${#words_next} )) && compadd -U -- \${(u)\${(M)words_next:#\$PREFIX*}}
[[ \$PREFIX == -* ]] && compadd -- \$options_here
(( \${#words_next} )) || [[ \$PREFIX == -* ]] || _files
END
	;;
esac
