"""The same work on several machines, by Ray.

:mod:`~facepart.cluster.connect` connects to a cluster, :mod:`~facepart.cluster.nodes` watches its nodes, and
:mod:`~facepart.cluster.capacity` computes how many workers fit on them. :mod:`~facepart.cluster.ray_pair_counter`
compares faces: it splits both sides into blocks; tasks count the pairs of two blocks each
(:mod:`~facepart.cluster.blocks`), and other tasks add up the counts (:mod:`~facepart.cluster.sparse`).
:mod:`~facepart.cluster.ray_executor` processes photos with workers (:mod:`~facepart.cluster.actor`), to which
:mod:`~facepart.cluster.pool` hands shards from a queue (:mod:`~facepart.cluster.shard_queue`). Ray is an extra,
``facepart[ray]``, and is only imported if it is used.
"""
