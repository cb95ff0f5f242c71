# Evidence of a processor: made, verified, tampered with.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here

title "A simulated processor (there is no SEV-SNP hardware here), and an attester that serves its reports"
show pm-sim init "$work/sim" --product Genoa
must 0
# attester NAME: a guest of that processor; its measurement is $measurement_NAME.
attester() {
	launch "$1-attester" pm-sim serve "$work/sim" --socket "$work/$1" --field "measurement=$2"
	await "$1-attester" serving
}
# Software is as many bytes as its digest.
measurement=$(echo "the worker's software" | openssl dgst -sha384 -r | cut -d' ' -f1)
attester worker "$measurement"

title "It attests a guest, for a verifier with a fresh nonce; the verifier's policy names the root and the measurement"
data=$(openssl rand -hex 64)
show pm-ctl collect --report-data "$data" --attester "unix:$work/worker" -o "$work/report.bin" \
	--certs "$work/certs.bin"
must 0
verify="--certs $work/certs.bin --crl $work/sim/crl.der --require-crl --policy $work/sim/policy.json"
verify="$verify --min-tcb 1,0,1,1 --measurement $measurement"
# shellcheck disable=SC2086 # words on purpose
show pm-verify snp "$work/report.bin" $verify --report-data "$data"
must 0

title "Refused: one bit of the measurement changed; the report replayed to another nonce; a root that is not AMD's"
cp "$work/report.bin" "$work/tampered.bin"
byte=$(dd if="$work/report.bin" bs=1 skip=144 count=1 2>/dev/null | od -An -v -tu1)
# shellcheck disable=SC2059 # an octal number
printf "\\$(printf %o $((byte ^ 1)))" | dd of="$work/tampered.bin" bs=1 seek=144 conv=notrunc 2>/dev/null
# shellcheck disable=SC2086 # words on purpose
show_refusal pm-verify snp "$work/tampered.bin" $verify --report-data "$data"
must 1
said "REJECTED.*SIGNATURE"
# shellcheck disable=SC2086 # words on purpose
show_refusal pm-verify snp "$work/report.bin" $verify --report-data "$(openssl rand -hex 64)"
must 1
said "REJECTED.*REPORT_DATA"
show_refusal pm-verify snp "$work/report.bin" --certs "$work/certs.bin" --report-data "$data" --any-tcb
must 1
said "REJECTED.*root"
done_with "evidence of a processor"
