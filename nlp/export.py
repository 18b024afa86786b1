"""Turns a model into a file that onnxruntime runs: one graph from word pieces to a vector or labels, 8-bit numbers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

ROUGH = (0, 4, 5)
"""Layers whose last step keeps full precision: single values 20 to 40 times the rest enter it, and 8 bits for those
leave none for the rest (agreement with full precision .936 with them in 8 bits, .964 without; 5 MB)."""


def export(model: Any, path: Path, rough: tuple[int, ...] = ROUGH) -> None:
    """Write a BertModel with mean pooling to `path`.

    The graph takes `input_ids` and `attention_mask` (texts, pieces) and gives `vector` (texts, width), of length 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, fused = Path(folder, "plain.onnx"), Path(folder, "fused.onnx")
        _write(model, plain)
        fuse(model.config, plain, fused)
        path.parent.mkdir(parents=True, exist_ok=True)
        rounded(fused, path, rough)


def _write(model: Any, path: Path) -> None:
    import torch

    model.set_attn_implementation("eager")  # the form that the fusion below knows

    class Pooled(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.bert = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask[..., None].to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    trace(Pooled().eval(), path, "vector")


def trace(module: Any, path: Path, output: str) -> None:
    """Write a torch module of `input_ids` and `attention_mask` (texts, pieces) whose answer has a row for each text."""
    import torch

    ids = torch.full((2, 9), 5)
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        module, (ids, torch.ones_like(ids)), str(path), input_names=names, output_names=[output],
        dynamic_axes={**{name: {0: "texts", 1: "pieces"} for name in names}, output: {0: "texts"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip


def fuse(config: Any, plain: Path, fused: Path) -> None:
    """Join the many small steps of attention into single ones, for speed."""
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    optimised = optimize_model(
        str(plain), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size,
        optimization_options=FusionOptions("bert"), opt_level=1,
    )  # fmt: skip
    optimised.save_model_to_file(str(fused))


def rounded(fused: Path, path: Path, rough: tuple[int, ...] = ()) -> None:
    """Write the graph with 8-bit weights, a scale for each column, but for the last step of the `rough` layers."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(fused), str(path), per_channel=True, weight_type=QuantType.QInt8,
        nodes_to_exclude=[f"/bert/encoder/layer.{layer}/output/dense/MatMul" for layer in rough],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )  # fmt: skip
