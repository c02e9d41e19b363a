"""The same work on several machines, by Ray.

:mod:`~facepart.cluster.connect` connects to a cluster, and :mod:`~facepart.cluster.room` computes how many workers
fit on its nodes. :mod:`~facepart.cluster.pair_counter` compares faces: it splits both sides into blocks; tasks count
the pairs of two blocks each (:mod:`~facepart.cluster.blocks`), and other tasks add up the counts
(:mod:`~facepart.cluster.sparse`). :mod:`~facepart.cluster.executor` processes photos with workers
(:mod:`~facepart.cluster.worker`), to which :mod:`~facepart.cluster.pool` hands shards from a queue
(:mod:`~facepart.cluster.handing`). Ray is an extra, ``facepart[ray]``, and is only imported if it is used.
"""
