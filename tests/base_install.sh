#!/usr/bin/env bash
# A plain install in a new environment with each Python that is here, and a few commands by it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

try() {  # the command of a Python, its version
  "$1" -m venv "$folder/$2"
  # compiled is what is imported, not all that is there
  "$folder/$2/bin/pip" install --quiet --disable-pip-version-check --no-compile --constraint "$root/constraints.txt" "$folder"/wheel/*.whl
  interohm="$folder/$2/bin/interohm"
  cd "$folder"
  "$interohm" --help >/dev/null
  "$interohm" contact Li LLZO --samples 100 >/dev/null
  "$interohm" examples "examples-$2" >/dev/null
  "$interohm" impedance "examples-$2/examples/lithium-LiPON-LCO.yaml" --soc 0.5 --samples 0 >/dev/null
  "$interohm" doctor >/dev/null
  echo "Python $2: a base install works"
}

found=()
for version in ${*:-3.12 3.13}; do
  for python in $(command -v "python$version" || true) "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
    # a shim of pyenv stands on the PATH for versions that it does not give
    [ -x "$python" ] && "$python" -c 'import venv, ensurepip' 2>/dev/null || continue
    found+=("$python $version")
    continue 2
  done
  echo "Python $version is not on this machine: skipped"
done
[ ${#found[@]} -gt 0 ] || exit 0
# Built once, since each build would be in the same folder; then installed side by side.
read -r python _ <<<"${found[0]}"
"$python" -m venv "$folder/build"
"$folder/build/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$folder/wheel" "$root"
tried=()
for one in "${found[@]}"; do
  read -r python version <<<"$one"
  (set -e; try "$python" "$version") &
  tried+=($!)
done
for process in "${tried[@]}"; do wait "$process"; done
