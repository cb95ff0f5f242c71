#!/bin/sh
# sdks.sh: the SDKs of OpenAI and Anthropic into .deps/sdks, for the test that drives them through pm-client. Without
# npm, or without its registry, that test is skipped.
set -eu
cd "$(dirname "$0")/.."
openai=6.49.0
anthropic=0.137.0

# has PACKAGE VERSION
has() {
	grep -q "\"version\": \"$2\"" ".deps/sdks/node_modules/$1/package.json" 2>/dev/null
}

if has openai "$openai" && has @anthropic-ai/sdk "$anthropic"; then
	exit 0
fi
if ! command -v npm >/dev/null; then
	echo "setup: no npm, so no SDKs: their test will be skipped"
	exit 0
fi
mkdir -p .deps/sdks
npm install --prefix .deps/sdks --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional --omit=peer \
	--legacy-peer-deps --loglevel=error "openai@$openai" "@anthropic-ai/sdk@$anthropic" >/dev/null ||
	echo "setup: the SDKs can't be had: their test will be skipped"
