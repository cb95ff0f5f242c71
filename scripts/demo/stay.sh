# One demo stays up at a time in a place, which is the build folder's own unless DEMO_PLACE says another, and can be
# found to be stopped: the file "pid" there has the number of its process and when that began.
# shellcheck shell=sh disable=SC2154 # demo.sh, which sources this, sets $place

# began_at PID: in ticks since the machine did, or nothing.
began_at() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# running: the number of the demo that runs, or nothing.
running() {
	[ -r "$place/pid" ] && read -r pid began <"$place/pid" || return 0
	[ -z "$began" ] || [ "$(began_at "$pid")" != "$began" ] || echo "$pid"
}

# take_place: this is the demo that runs, unless another one does.
take_place() {
	[ -z "$(running)" ] || return 1
	mkdir -p "$place"
	chmod 700 "$place"
	echo "$$ $(began_at $$)" >"$place/pid.$$"
	mv "$place/pid.$$" "$place/pid"
}

# give_place: no more.
give_place() {
	[ "$(running)" != $$ ] || rm -rf "$place"
}

# stop_running: the demo that runs ends, and all that it started.
stop_running() {
	pid=$(running)
	if [ -z "$pid" ]; then
		echo "demo: none is running"
		return 0
	fi
	kill "$pid" || return 1
	while [ "$(running)" = "$pid" ]; do
		sleep 0.05
	done
	echo "demo: stopped"
}
