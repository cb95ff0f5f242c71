#!/bin/sh
# verify_fetch.sh BIN: pm-verify snp --fetch against a server on loopback.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
data=$(printf %0128d 7)

# The server ends when its standard input, a pipe that this shell holds open, is closed.
start_server() {
	mkfifo "$work/port" "$work/stop"
	python3 "$here/kds_server.py" "$work/sim" <"$work/stop" >"$work/port" &
	background=$!
	exec 9>"$work/stop"
	read -r port <"$work/port"
}

requests() {
	grep -c . "$work/sim/requests" 2>/dev/null || true
}

# count NUMBER WHAT: so many requests were made since the last time.
count() {
	checks=$((checks + 1))
	seen=$(requests)
	: >"$work/sim/requests"
	[ "${seen:-0}" = "$1" ] && return
	failures=$((failures + 1))
	echo "FAILED: $2: ${seen:-0} requests, expected $1"
}

run 0 "machine" "$bin/pm-sim" init "$work/sim" --product Genoa
run 0 "report" "$bin/pm-sim" report "$work/sim" --report-data "$data" -o "$work/report.bin"
start_server
: >"$work/sim/requests"

verify() {
	"$bin/pm-verify" snp "$work/report.bin" --any-tcb --report-data "$data" \
		--policy "$work/sim/policy.json" --fetch --kds "http://127.0.0.1:$port" "$@"
}

printf '{"any_measurement": true, "test_roots": ["%s"]}' \
	"$(sed -n 's/.*"\([0-9a-f]\{64\}\)".*/\1/p' "$work/sim/policy.json")" >"$work/policy.json"
mv "$work/policy.json" "$work/sim/policy.json"

run 0 "fetch" verify
says "TEST ROOT"
says "is not revoked"
count 3 "VCEK, chain and CRL"
run 0 "fetch into a cache" verify --cache "$work/cache"
count 3 "the cache was empty"
run 0 "out of the cache" verify --cache "$work/cache"
count 0 "the cache had them"
run 0 "VCEK given" verify --vek "$work/sim/vek.der"
count 2 "chain and CRL"
run 0 "tables" "$bin/pm-sim" report "$work/sim" --report-data "$data" -o "$work/report.bin" \
	--certs "$work/whole"
run 0 "whole table given" verify --certs "$work/whole"
count 1 "CRL"
: >"$work/none"
run 0 "empty table given" verify --certs "$work/none"
count 3 "VCEK, chain and CRL, beside an empty table"
python3 - "$work/sim/vek.der" "$work/vek-only" <<-'END'
	import sys, uuid
	der = open(sys.argv[1], "rb").read()
	entry = uuid.UUID("63da758d-e664-4564-adc5-f4b93be8accd").bytes
	entry += (48).to_bytes(4, "little") + len(der).to_bytes(4, "little")
	open(sys.argv[2], "wb").write(entry + bytes(24) + der)
END
run 0 "table with the VCEK alone" verify --certs "$work/vek-only"
count 2 "chain and CRL, beside a table with the VCEK"
# A host that has the VCEK of an older firmware still.
run 0 "another machine" "$bin/pm-sim" init "$work/other" --product Genoa
run 0 "another VCEK given" verify --vek "$work/other/vek.der"
count 3 "chain and CRL, then the VCEK"
run 1 "another REPORT_DATA" "$bin/pm-verify" snp "$work/report.bin" --any-tcb --report-data "$(printf %0128d 0)" \
	--policy "$work/sim/policy.json" --fetch --kds "http://127.0.0.1:$port" --vek "$work/sim/vek.der"
count 2 "chain and CRL, and nothing for what is not the VCEK's fault"
rm "$work/sim/vek.der"
run 1 "another VCEK given, and no right one" verify --vek "$work/other/vek.der"
says "VEK"
count 3 "chain and CRL, then in vain the VCEK"
run 1 "no such chip" verify
says "HTTP 404"
run 2 "no server" "$bin/pm-verify" snp "$work/report.bin" --any-tcb --report-data "$data" --fetch \
	--kds "http://127.0.0.1:1"
says "NOT VERIFIED"
run 2 "a mirror without TLS" "$bin/pm-verify" snp "$work/report.bin" --any-tcb --report-data "$data" \
	--fetch --kds "http://192.0.2.1"
exec 9>&-
wait "$background"
background=
finish
