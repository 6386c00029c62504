#!/usr/bin/env bash
# Deliveries made by programs that are not ours, converted by seedmill and compared field by field.
# Says which comparison it leaves out where a program is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet
if python3 -c 'import pskc' 2>/dev/null; then
    python3 ci/pskc_interop.py --check
    python3 ci/pskc_interop.py --written-by "${CARGO_TARGET_DIR:-target}/debug/seedmill"
fi
exec python3 ci/interop.py "${CARGO_TARGET_DIR:-target}/debug/seedmill"
