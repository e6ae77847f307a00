# Source this: makes a virtual environment with what the Python parts of the tests and examples need (scikit-learn and
# what it is used with), once for all steps, and tells the tests where it is. Fails where the packages are not to be had.
# shellcheck shell=bash

mlv_python() {
  local directory
  directory="${SCRATCH:-$(mktemp -d)}/python-scikit-learn"
  if [[ ! -e "$directory/ready" ]]; then
    python3 -m venv "$directory" || return 1
    "$directory/bin/pip" install --quiet 'scikit-learn==1.9.1' 'numpy==2.4.6' 'PyYAML==6.0.3' || return 1
    touch "$directory/ready"
  fi
  export MLV_TEST_PYTHON="$directory/bin/python"
  export PATH="$directory/bin:$PATH"
  "$MLV_TEST_PYTHON" -c 'import sklearn, sys; print("Python", sys.version.split()[0], "with scikit-learn", sklearn.__version__)'
}

mlv_python
