"""What settings choose from, where that is one of a few."""

from enum import StrEnum


class Device(StrEnum):
    """Where the model runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Arithmetic of the forward pass; embeddings are always sent as float32."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class InferenceRuntime(StrEnum):
    """What computes the forward pass."""

    AUTO = "auto"
    TORCH = "torch"
    COMPILE = "compile"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


class BrokerKind(StrEnum):
    """The broker that we run ourselves where no address is named."""

    EMBEDDED = "embedded"  # Tansu, from a wheel; everything in memory
    APACHE = "apache"  # Apache Kafka, one node; needs Java and Maven


class Views(StrEnum):
    """In which views an image is embedded; what it costs grows with their number."""

    NONE = "none"  # the image: 1
    FLIP = "flip"  # and its mirror image, left to right: 2
    CROPS = "crops"  # four corners and the centre, each as it is and mirrored: 10
