# SPDX-License-Identifier: Apache-2.0
# A deployment by its units, which start when the machine does. Runs in the machine of units.py.
# shellcheck shell=sh
exec 3>/dev/ttyS1
# shellcheck source=test/vm/lib.sh
. /srv/lib.sh
daemons="pm-coordinator pm-secrets pm-proxy pm-agent pm-client"
coordinator=http://127.0.0.1:8080
manifest=$PM_ETC/manifest.json

# show UNIT PROPERTY
show() {
	systemctl show -p "$2" --value "$1"
}

# is UNIT PROPERTY VALUE
is() {
	[ "$(show "$1" "$2")" = "$3" ]
}

# get PORT PATH [DATA]: what is answered there
get() {
	curl -sSf --max-time 20 ${3:+-H "Content-Type: application/json" -d "$3"} "http://127.0.0.1:$1$2"
}

# soon COMMAND...: it succeeds within minutes, on a machine that is busy with others
soon() {
	tries=0
	until "$@" >$out 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.2
	done
}

# process UNIT FIELD: of /proc
process() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$(show "$1" MainPID)/status" | cut -f1
}

# port UNIT: of its figures
port() {
	case $1 in
	pm-coordinator) echo 9102 ;;
	pm-secrets) echo 9103 ;;
	pm-proxy) echo 8185 ;;
	pm-agent) echo 9108 ;;
	pm-client) echo 9104 ;;
	esac
}

ready() {
	check "$1-ready${2:-}" soon get "$(port "$1")" /readyz
}

# chats NAME [PORT]: through client, proxy and model
chats() {
	body='{"model": "echo", "messages": [{"role": "user", "content": "by units alone"}]}'
	soon get "${2:-8081}" /v1/chat/completions "$body"
	check "$1" grep -q '"content": *"by units alone"' $out
}

# files UNIT MODE FILE...: only its user may read its state, and that is the user that it has now
files() {
	unit=$1 mode=$2
	shift 2
	for file; do
		check "$unit-$(basename "$file")" [ "$(stat -c '%a %u' "$file")" = "$mode $(process "$unit" Uid)" ]
	done
}

# killed UNIT: it comes again by itself
killed() {
	pid=$(show "$1" MainPID)
	systemctl kill --signal=KILL "$1"
	check "$1-restarts" soon is "$1" NRestarts 1
	check "$1-active-again" soon is "$1" ActiveState active
	check "$1-another" [ "$(show "$1" MainPID)" != "$pid" ]
}

passed() {
	echo "# $(cut -d' ' -f1 /proc/uptime) s: $*" >&3
}

passed "the machine is there"

# --- how they start -------------------------------------------------------------------------------------

for unit in $daemons; do
	check "$unit-notify" is "$unit" Type notify
	check "$unit-active" soon is "$unit" ActiveState active
	check "$unit-first-try" is "$unit" NRestarts 0
done
check mount-active soon is pm-mount@tiny ActiveState active
passed "all are active"

for unit in pm-coordinator pm-secrets pm-proxy pm-client; do
	check "$unit-user" [ "$(process "$unit" Uid)" -ge 61184 ]
	check "$unit-capabilities" [ "$(process "$unit" CapPrm)$(process "$unit" CapBnd)" = "$(printf %032d 0)" ]
	check "$unit-filtered" [ "$(process "$unit" NoNewPrivs)$(process "$unit" Seccomp)" = 12 ]
done
check agent-capabilities [ "$(process pm-agent CapBnd)" = 0000000000200000 ]
check device [ "$(stat -c '%a %U:%G' /dev/sev-guest)" = "660 root:pm-attest" ]
check folders [ "$(stat -c '%a %u' /run/pm /run/pm/models | uniq)" = "755 0" ]
check status-files [ "$(stat -c '%a %u' /run/pm/*.json /run/pm/gpu/* | uniq)" = "644 0" ]
files pm-proxy 644 /run/pm-proxy/key
check mounted mounted tiny
check content sh -c "yes weights | head -n 100000 | cmp - /run/pm/models/tiny/weights.bin"

# --- what they do together ------------------------------------------------------------------------------

mkdir /srv/shares
exits manifest-set 0 pm-ctl manifest set $coordinator "$manifest" --signatures /srv/manifest.sig \
	--shares /srv/shares --memory /srv/memory
for unit in $daemons; do
	ready "$unit"
done
passed "all are ready"
chats chat
for unit in pm-coordinator pm-secrets pm-proxy pm-client; do
	check "$unit-locks-memory" [ "$(process "$unit" VmLck | cut -d' ' -f1)" -gt 0 ]
done
files pm-coordinator 700 /var/lib/pm-coordinator/
files pm-coordinator 600 /var/lib/pm-coordinator/*
files pm-secrets 700 /var/lib/pm-secrets/
files pm-secrets 600 /var/lib/pm-secrets/*
files pm-client 600 /var/lib/pm-client/*

for unit in $daemons; do
	pid=$(show "$unit" MainPID)
	exits "$unit-reloads" 0 systemctl reload "$unit"
	check "$unit-stays" is "$unit" MainPID "$pid"
done
passed "reloaded"

# --- when they die --------------------------------------------------------------------------------------

for unit in pm-client pm-secrets pm-agent; do
	killed "$unit"
	ready "$unit" -again
done
killed pm-proxy # has another key, for which the agent has to verify the GPUs again
ready pm-proxy -again
chats chat-again
passed "killed, and there again"
killed pm-coordinator
for name in alice bob; do
	exits "recover-$name" 0 pm-ctl recover $coordinator --share /srv/shares/$name.share \
		--share-key /srv/keys/$name-box --key /srv/keys/$name --manifest "$manifest" --memory /srv/memory
done
ready pm-coordinator -again
passed "recovered"

# --- sockets and credentials ----------------------------------------------------------------------------

systemctl stop pm-client
mkdir -p /run/systemd/system/pm-proxy.service.d
printf '[Socket]\nListenStream=127.0.0.1:8082\n' >/run/systemd/system/pm-client.socket
systemctl daemon-reload
exits socket-listens 0 systemctl start pm-client.socket
check socket-waits is pm-client ActiveState inactive
chats chat-by-socket 8082
exits socket-ends 0 systemctl stop pm-client.socket
passed "started by its socket"

# --- how they end ---------------------------------------------------------------------------------------

# What is under way is finished first.
words=$(seq -s ' ' 60)
curl -sSN --max-time 120 -H "Content-Type: application/json" \
	-d "{\"model\": \"slow\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"$words\"}]}" \
	http://127.0.0.1:8081/v1/chat/completions >/tmp/stream 2>&1 &
stream=$!
check stream-begins soon grep -q '^data:' /tmp/stream
exits proxy-drains 0 systemctl stop pm-proxy
exits stream-ends 0 wait $stream
check stream-whole grep -q '^data: \[DONE\]' /tmp/stream
for unit in pm-client pm-agent pm-proxy pm-secrets pm-coordinator; do
	exits "$unit-stops" 0 systemctl stop "$unit"
	check "$unit-ended-well" [ "$(show "$unit" Result) $(show "$unit" ExecMainStatus)" = "success 0" ]
done
exits mount-stops 0 systemctl stop pm-mount@tiny
check mount-gone nothing_left
check mount-status-gone [ ! -e /run/pm/tiny.json ]
passed "stopped"

echo "a $(printf %064d 7)" >/srv/keys/inference
chmod 600 /srv/keys/inference
cat >/run/systemd/system/pm-proxy.service.d/keys.conf <<'CONF'
[Service]
LoadCredential=keys:/srv/keys/inference
EnvironmentFile=
Environment="PM_PROXY_OPTIONS=--listen 127.0.0.1:8085 --metrics 127.0.0.1:8185 --upstream 127.0.0.1:8008 \
	--keys /run/credentials/pm-proxy.service/keys --no-ocsp-status --no-ready-file"
CONF
systemctl daemon-reload
exits keys-start 0 systemctl start pm-proxy
ready pm-proxy -with-keys
exits keys-reload 0 systemctl reload pm-proxy
exits keys-stop 0 systemctl stop pm-proxy

systemctl --failed --no-legend --plain list-units 'pm-*' >$out
check none-failed [ ! -s $out ]
echo end >&3
systemctl poweroff --force --force
