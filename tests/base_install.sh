#!/usr/bin/env bash
# A plain `pip install .` in a new environment with each Python that is here, and a few commands by it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in ${*:-3.12 3.13}; do
  for python in $(command -v "python$version" || true) "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
    # a shim of pyenv stands on the PATH for versions that it does not give
    [ -x "$python" ] && "$python" -c 'import venv, ensurepip' 2>/dev/null || continue
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" "$root"
    interohm="$folder/$version/bin/interohm"
    (
      cd "$folder"
      "$interohm" --help >/dev/null
      "$interohm" contact Li LLZO --samples 100 >/dev/null
      "$interohm" examples "examples-$version" >/dev/null
      "$interohm" impedance "examples-$version/examples/lithium-LiPON-LCO.yaml" --soc 0.5 --samples 0 >/dev/null
      "$interohm" doctor >/dev/null
    )
    echo "Python $version: a base install works"
    continue 2
  done
  echo "Python $version is not on this machine: skipped"
done
