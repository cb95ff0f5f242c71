# One demo of a build folder stays up at a time, and can be found to be stopped: $build/demo/pid has the number of its
# process and when that began.
# shellcheck shell=sh

# began_at PID: in ticks since the machine did, or nothing.
began_at() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# running BUILD: the number of the demo that runs, or nothing.
running() {
	[ -r "$1/demo/pid" ] && read -r pid began <"$1/demo/pid" || return 0
	[ -z "$began" ] || [ "$(began_at "$pid")" != "$began" ] || echo "$pid"
}

# take_place BUILD: this is the demo that runs, unless another one does.
take_place() {
	[ -z "$(running "$1")" ] || return 1
	mkdir -p "$1/demo"
	chmod 700 "$1/demo"
	echo "$$ $(began_at $$)" >"$1/demo/pid.$$"
	mv "$1/demo/pid.$$" "$1/demo/pid"
}

# give_place BUILD: no more.
give_place() {
	[ "$(running "$1")" != $$ ] || rm -rf "$1/demo"
}

# stop_running BUILD: the demo that runs ends, and all that it started.
stop_running() {
	pid=$(running "$1")
	if [ -z "$pid" ]; then
		echo "demo: none is running"
		return 0
	fi
	kill "$pid" || return 1
	while [ "$(running "$1")" = "$pid" ]; do
		sleep 0.05
	done
	echo "demo: stopped"
}
