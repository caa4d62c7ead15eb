#!/usr/bin/env bash
# Installs what testing needs on a fresh Debian or Ubuntu machine with Rust, then runs everything.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(xvfb openbox xdotool imagemagick x11-utils mesa-vulkan-drivers libegl1 libgl1-mesa-dri fonts-wqy-microhei)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

cargo fmt --all --check
cargo clippy --release --workspace --all-targets -- -D warnings
# Everything but doc tests, of which there are none.
cargo test --release --workspace --all-targets
