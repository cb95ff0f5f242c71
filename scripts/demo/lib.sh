# What the parts of the demo share. demo.sh, which sources this, sets $build, $work and $vectors.
# shellcheck shell=sh disable=SC2034,SC2154 # some names are of one file, some of another
number=0
background= # what was started and still runs, the last first
current=    # what is waited for
address=
daemon=

bold=
plain=
if [ -t 1 ]; then
	bold=$(printf '\033[1m')
	plain=$(printf '\033[0m')
fi

# title TEXT: of the next section.
title() {
	number=$((number + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$number" "$*" "$plain"
}

die() {
	echo "demo: $*" >&2
	exit 1
}

# short: what is read, without the folders' names and the middle of long values.
short() {
	sed "s#$work/##g; s#$build/##g; s#$vectors/[a-z]*/##g
		s#\([0-9a-f]\{12\}\)[0-9a-f]\{52,\}#\1...#g
		s#\([A-Za-z0-9+/]\{16\}\)[A-Za-z0-9+/]\{60,\}=*#\1...#g"
}

# say_command COMMAND...: as one would type it.
say_command() {
	echo "\$ $*" | short | fold -s -w 118 | sed 's/ $//; 2,$s/^/      /'
}

# attend COMMAND...: run it; a signal to the demo need not wait for its end.
attend() {
	"$@" &
	current=$!
	set +e
	wait "$current"
	status=$?
	set -e
	current=
}

# attend_silently COMMAND...: what it says goes to a file.
attend_silently() {
	attend "$@" >"$work/out" 2>&1
}

# show COMMAND...: print and run it, without the lines to hide, which are those of values that nobody demanded;
# $status is its status.
hide='^ *–'
show() {
	say_command "$@"
	attend "$@" >"$work/out" 2>&1
	grep -v "$hide" "$work/out" | short || true
	[ "$status" = 0 ] || echo "(exit status $status)"
}

# show_without PATTERN COMMAND...: without these lines.
show_without() {
	hide=$1
	shift
	show "$@"
	hide='^ *–'
}

# show_refusal COMMAND...: what passed is not shown again.
show_refusal() {
	show_without '^ *\(–\|✓\|\[\)' "$@"
}

# must STATUS: the demo fails when the last command did not end so.
must() {
	[ "$status" = "$1" ] || die "exit status $status, expected $1"
}

# said TEXT: so does it when the last command did not say so.
said() {
	grep -q -- "$1" "$work/out" || die "it does not say '$1'"
}

# is_alive PID: one that ended and was not waited for is not.
is_alive() {
	state=$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) && [ "$state" != Z ]
}

# await NAME PATTERN: until the daemon of that name, which was started last, says so in its log.
await() {
	tries=0
	until grep -qs -- "$2" "$work/$1.log"; do
		is_alive "$daemon" || break
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || die "$1 does not say '$2' within a minute"
		sleep 0.05
	done
	grep -q -- "$2" "$work/$1.log" && return
	cat "$work/$1.log" >&2
	die "$1 ended"
}

# launch NAME COMMAND...: in the background, with a log of that name.
launch() {
	name=$1
	shift
	"$@" >"$work/$name.log" 2>&1 &
	daemon=$!
	background="$daemon $background"
}

# start NAME COMMAND...: print it, and have it serve; $address is where.
start() {
	name=$1
	shift
	say_command "$@"
	launch "$name" "$@"
	await "$name" ' ready'
	address=$(address_of "$name" requests)
}

# address_of NAME WHAT: where it listens for requests, the mesh or metrics.
address_of() {
	sed -n "s/.*listening on=\([^ ]*\) for=$2.*/\1/p" "$work/$1.log" | head -n 1
}

# log_line NAME PATTERN: the last line of its log that has it, without time and level.
log_line() {
	grep -- "$2" "$work/$1.log" | tail -n 1 | cut -d' ' -f3- | short | fold -s -w 118 | sed 's/ $//; 2,$s/^/      /'
}

# stop PID: what is not needed any more.
stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	background=$(for pid in $background; do [ "$pid" = "$1" ] || printf '%s ' "$pid"; done)
}

# stop_all: what we started, by its number, and nothing else. Who does not end is ended.
stop_all() {
	# shellcheck disable=SC2086 # numbers
	[ -z "$current$background" ] || kill $current $background 2>/dev/null || true
	tries=0
	for pid in $current $background; do
		while is_alive "$pid" && [ $tries -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.05
		done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	current=
	background=
}
