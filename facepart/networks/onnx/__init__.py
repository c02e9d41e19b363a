"""ONNX files, checked and run in PyTorch."""
