"""Backbones of others: ONNX files, TorchScript files and the architectures of timm."""
