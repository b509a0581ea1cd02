# SPDX-License-Identifier: LGPL-2.1-or-later
# capbroker.bash: bash completion of capbroker, capbroker-probe and capbroker-refresh. Needs nothing
# but bash; the words come from 'capbroker complete'.

# _capbroker_words KIND…: what capbroker knows, one word a line, by the database on the line.
_capbroker_words()
{
	"${program:-capbroker}" ${database:+--db "$database"} complete "$@" 2>/dev/null
}

# _capbroker_offer WORDS: those that go on from what is typed. Not by compgen -W, which would run
# what a word has in $( ).
_capbroker_offer()
{
	local word
	while IFS= read -r word; do
		[[ $word && $word == "$current"* ]] && COMPREPLY+=("$word")
	done <<<"$1"
	return 0
}

_capbroker_files()
{
	compopt -o filenames 2>/dev/null
	_capbroker_offer "$(compgen -f -- "$current")"
}

# _capbroker_assume: SELECTOR=WHAT, where SELECTOR may hold a = of its own.
_capbroker_assume()
{
	local selectors selector=${current%=*} what=${current##*=} words
	selectors=$(_capbroker_words selectors)
	if [[ $current != *=* || $'\n'$selectors$'\n' != *$'\n'$selector$'\n'* ]]; then
		_capbroker_offer "${selectors//$'\n'/=$'\n'}="
		compopt -o nospace 2>/dev/null
		return
	fi
	if [[ $what == [+-]* ]]; then
		words=$(_capbroker_words capabilities | sed "s/^/${what:0:1}/")
	else
		words=$(printf '%s\n' gone; _capbroker_words hosts; compgen -f -- "$what" | grep -v '[^A-Za-z0-9._/+-]')
	fi
	_capbroker_offer "$(sed "s|^|$selector=|" <<<"$words")"
}

# _capbroker_value OPTION: the value of an option; false where it has none that is known.
_capbroker_value()
{
	case $1 in
	--db | --config | --policy | --tokens | --token-file | --ca-file | --svg | --html | --hotplug | --output | -o | --guests | --record | --replay | --emulator | --cpu-map | --data | --site | \
		--dictionary) _capbroker_files ;;
	--host | --from) _capbroker_offer "$(_capbroker_words hosts)" ;;
	--to) _capbroker_offer "$(_capbroker_words selectors)" ;;
	--assume) _capbroker_assume ;;
	--pin | --forbid) _capbroker_offer "$(_capbroker_words capabilities)" ;;
	--enrol) [[ $program == *probe ]] && _capbroker_files ;;
	--role) _capbroker_offer $'agent\nreader\nadmin' ;;
	--broker | --push) _capbroker_offer $'https://\nunix:/run/capbroker/broker.sock' ;;
	--accel) _capbroker_offer $'kvm\ntcg' ;;
	--format) _capbroker_offer $'text\njson\nlibvirt\nlibvirt-domain\nqemu\nnova\novirt\nkubevirt\nproxmox' ;;
	--libvirt | --connect) _capbroker_offer $'qemu:///system\nqemu:///session\nqemu+ssh://\ntest:///default' ;;
	--cluster) _capbroker_offer "$(_capbroker_words selectors | sed -n 's/^cluster=//p')" ;;
	--claim) _capbroker_offer "$(ls /sys/bus/pci/devices /sys/bus/mdev/devices 2>/dev/null | grep -v :$)" ;;
	--check) _capbroker_offer "$(_capbroker_words checks)" ;;
	--expires) _capbroker_offer $'12h\n7d\n2w' ;;
	--since) [[ $command == level ]] || _capbroker_offer $'1d\n7d\n30d' ;;
	--name | --label | --alias | --machine | --timeout | --jobs | --only | --few | --reason | --revoke | --coverage | \
		--weight-label | --max | --min-size | --spread | --review-by | --retire-by | --note | --uses) ;;
	*) return 1 ;;
	esac
}

# _capbroker_level: the subcommands of level, and what each takes.
_capbroker_level()
{
	case $subcommand in
	'') _capbroker_offer $'create\nlist\nshow\npropose\nassign\nretire\njoin' ;;
	create) _capbroker_offer "$(_capbroker_words levels; _capbroker_words selectors)" ;;
	show | propose | retire) _capbroker_offer "$(_capbroker_words levels)" ;;
	assign) _capbroker_offer "$(_capbroker_words levels; _capbroker_words guests)" ;;
	join) _capbroker_offer "$(_capbroker_words hosts; _capbroker_words levels)" ;;
	esac
}

# _capbroker_argument: what a command takes besides options.
_capbroker_argument()
{
	case $command in
	'') _capbroker_offer "$(_capbroker_words commands)" ;;
	show | diff | drain | forget) _capbroker_offer "$(_capbroker_words hosts)" ;;
	guests | allow) _capbroker_offer "$(_capbroker_words guests)" ;;
	hook) [[ $previous == hook ]] && _capbroker_offer $'libvirt\nvdsm\nganeti' ;;
	hosts | baseline | tradeoff | pools) _capbroker_offer "$(_capbroker_words selectors)" ;;
	check)
		if [[ $targets ]]; then
			_capbroker_offer "$(_capbroker_words selectors)"
		else
			_capbroker_offer "$(_capbroker_words guests)"
			_capbroker_files
		fi
		;;
	explain)
		_capbroker_offer "$(_capbroker_words checks)"
		_capbroker_offer "$(_capbroker_words capabilities)"
		;;
	complete) _capbroker_offer $'commands\noptions\nhosts\nselectors\nguests\nlevels\nchecks\ncapabilities' ;;
	import) _capbroker_files ;;
	token) _capbroker_offer $'create\nlist\nrevoke' ;;
	policy) _capbroker_offer $'check\nshow' && _capbroker_files ;;
	level) _capbroker_level ;;
	restore | export) _capbroker_files ;;
	esac
}

# _capbroker_read: command, database and whether --to came, out of the words before the current one.
_capbroker_read()
{
	local i word
	for ((i = 1; i < ${#typed[@]} - 1; i++)); do
		word=${typed[i]}
		case $word in
		--db=*) database=${word#--db=} ;;
		--to=*) targets=1 ;;
		--*=*) ;;
		--db) database=${typed[++i]} ;;
		--to) targets=1 && ((++i)) ;;
		--assume | --from | --hotplug | --host | --name | --cluster | --label | --alias | --accel | --machine | \
			--format | --timeout | --jobs | --libvirt | --config | --check | --reason | --expires | \
			--revoke | --since | --policy | --svg | --html | --pin | --forbid | --coverage | --weight-label | \
			--max | --min-size | --spread | --broker | --token-file | --ca-file | --tokens | --role | \
			--note | --uses | --review-by | --retire-by) ((++i)) ;;
		-*) ;;
		*)
			[[ $command && ! $subcommand ]] && subcommand=$word
			[[ $command ]] || command=$word
			;;
		esac
	done
}

# _capbroker_begin: the words up to the cursor, in typed; the last of them is whole and current.
_capbroker_begin()
{
	local line=${COMP_LINE:0:COMP_POINT}
	COMPREPLY=()
	read -ra typed <<<"$line"
	[[ $line == *[[:space:]] ]] && typed+=('')
	whole=${typed[${#typed[@]}-1]} previous=${typed[${#typed[@]}-2]}
	current=$whole
}

# _capbroker_option: what goes on from --option=, or stands behind an option; false elsewhere.
_capbroker_option()
{
	local option=${whole%%=*}
	if [[ $whole == --*=* ]]; then
		current=${whole#*=}
		_capbroker_value "$option"
		COMPREPLY=("${COMPREPLY[@]/#/$option=}")
	else
		[[ $previous == -* ]] && _capbroker_value "$previous"
	fi
}

# _capbroker_cut: readline replaces only what stands behind the last = or : of the word, where those
# break words.
_capbroker_cut()
{
	local i
	for ((i = ${#whole}; i > 0; i--)); do
		if [[ ${whole:i-1:1} == [=:] && $COMP_WORDBREAKS == *"${whole:i-1:1}"* ]]; then
			COMPREPLY=("${COMPREPLY[@]#"${whole:0:i}"}")
			break
		fi
	done
}

_capbroker()
{
	local program=${1/#\~/$HOME} whole current previous command='' subcommand='' database='' targets='' typed
	_capbroker_begin
	_capbroker_read
	if _capbroker_option; then
		:
	elif [[ $whole == -* ]]; then
		_capbroker_offer "$(_capbroker_words options ${command:+"$command"})"
		[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	else
		_capbroker_argument
	fi
	_capbroker_cut
}

# The other programs have options and files alone; their --help and --list tell the rest.
_capbroker_other()
{
	local program=capbroker whole current previous database='' typed
	_capbroker_begin
	if [[ $previous == --only ]]; then
		_capbroker_offer "$("$1" --list 2>/dev/null | sed 's/ .*//')"
	elif _capbroker_option; then
		:
	elif [[ $whole == -* ]]; then
		_capbroker_offer "$("$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)"
	else
		_capbroker_files
	fi
	_capbroker_cut
}

complete -F _capbroker capbroker
complete -F _capbroker_other capbroker-probe capbroker-refresh
