"""Kits that make an adapter of what a framework's layers are: ``from convspec.adapters import torch as kit``.

One module a framework: ``torch``, ``jax``, ``keras``, ``onnx``. Each has a function for every layer of the
contract, of the contract's name, that takes what people have and returns the function of the contract:

    conv2d = kit.conv2d(nn.Conv2d)

A kit does what lies between: the order of channels and of a kernel's axes, momentum as the framework counts it, seeds,
inference without gradients, conversion from and to NumPy. It answers for nothing itself. A call that the library
refuses for want of the feature becomes ``convspec.Unsupported``; every other error comes through as it is.

Nothing is imported here; a kit imports its framework. The package is ``convspec.adapters`` where it is installed.
"""
