"""A recogniser for faces of any size that is opened at once, and made-up photos for it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image

LENGTH = 64  # of the embedding


def write_network(path: Path, height: int | str, width: int | str) -> Path:
    """Write a recogniser that runs on faces of any size, and says that it takes those of a given one."""
    weight = np.random.default_rng(0).normal(size=(LENGTH, 3, 8, 8)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["face", "weight"], ["maps"], kernel_shape=[8, 8], strides=[4, 4]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["embedding"]),
    ]
    face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, height, width])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", LENGTH])
    graph = helper.make_graph(nodes, "network", [face], [embedding], [numpy_helper.from_array(weight, "weight")])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def draw(path: Path, seed: int, height: int = 160, width: int = 160) -> Path:
    """Write a photo of soft spots, whose resized copies look alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spots = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def save_two_photos_each(folder: Path, face_paths: list[Path], groups: tuple[str, str]) -> Path:
    """Save small photos of twelve subjects in two groups, one too dark for its eyes to be found; return the table."""
    for number in range(24):
        photo = read_photo(face_paths[number % len(face_paths)])[::2, ::2]
        shown = np.roll(photo, number // 4, axis=1) // (8 if number == 3 else 1)
        write_image(folder / f"{number // 2:03}_{number % 2}.png", shown)
    people = folder / "people.csv"
    rows = [f"{subject:03},{groups[subject // 6]}\n" for subject in range(12)]
    people.write_text("subject,group\n" + "".join(rows))
    return people
