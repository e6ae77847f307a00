# Source this: makes a virtual environment with the published readers of what `mlv export` writes, and with MLflow, and tells
# the tests where it is. Fails where the packages are not to be had.
# shellcheck shell=bash

mlv_standards() {
  local directory
  directory="${SCRATCH:-$(mktemp -d)}/python-standards"
  if [[ ! -e "$directory/ready" ]]; then
    python3 -m venv "$directory" || return 1
    "$directory/bin/pip" install --quiet 'mlflow==3.17.2' 'huggingface_hub==2.4.0' 'in-toto-attestation==0.9.3' \
      'spdx-python-model==0.0.6' 'roc-validator==0.13.0' || return 1
    # Only for the JSON-LD context of RO-Crate 1.1 that it ships.
    "$directory/bin/pip" install --quiet --no-deps 'rocrate==0.9.0' || return 1
    touch "$directory/ready"
  fi
  export MLV_TEST_PYTHON="$directory/bin/python"
  "$MLV_TEST_PYTHON" -c 'import mlflow, sys; print("Python", sys.version.split()[0], "with MLflow", mlflow.__version__)'
}

mlv_standards
