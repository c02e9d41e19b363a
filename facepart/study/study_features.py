"""A study's embeddings -> features as the matcher takes them, and a hash of what their scores depend on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facepart.matching.features import Features
from facepart.occlusion.occlusion import Occlusion
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.groups import long_names


def study_features(store: EmbeddingStore, occlusion: Occlusion, names: Sequence[str]) -> Features:
    """Return the embeddings of photos with an occlusion, with the labels that their files would have."""
    folder = Path(occlusion.name)
    paths = [folder / f"{name}.npy" for name in names]
    embeddings = store.embeddings(occlusion.name, names)
    return Features(folder, embeddings, long_names(names, occlusion.name), paths, None, photos=names)


def scores_digest(store: EmbeddingStore, names: Sequence[str], *basis: Any) -> str:
    """Return a hash of all that scores depend on: values that JSON can hold, and the signatures of the photos."""
    signatures = [(name, store.photos[name].record.signature) for name in names]
    return hashlib.sha256(json.dumps([*basis, signatures], sort_keys=True).encode()).hexdigest()
