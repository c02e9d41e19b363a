#!/bin/sh
# Measures facepart on a GPU and prints one table, within 8 minutes: sh benchmarks/gpu.sh [--quick] [--device cpu]
# Needs Python 3.11 or later with PyTorch, NumPy, OpenCV (headless), Pillow and ONNX, and for the tests pytest and
# hypothesis; no network, no weights, no photos. PYTHON names another interpreter than python3.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" - <<'EOF'
import importlib.util, sys
wheels = {"torch": "torch", "numpy": "numpy", "cv2": "opencv-python-headless", "PIL": "pillow", "onnx": "onnx"}
missing = [wheel for module, wheel in wheels.items() if importlib.util.find_spec(module) is None]
if sys.version_info < (3, 11):
    sys.exit("gpu.sh: needs Python 3.11 or later; name it by PYTHON=...")
if missing:
    sys.exit(f"gpu.sh: {sys.executable} lacks {', '.join(missing)}: bring these wheels")
EOF
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
# An own cache: the folder that is usual on the platform is not asked for, which needs platformdirs.
FACEPART_HOME="$folder/home" PYTHONPATH="$PWD" "$python" -m benchmarks.gpu --folder "$folder" "$@"
