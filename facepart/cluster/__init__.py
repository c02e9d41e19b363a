"""The same work on several machines, by Ray.

:mod:`~facepart.cluster.connect` reaches a cluster, and :mod:`~facepart.cluster.room` tells what it has room for.
:mod:`~facepart.cluster.pair_counter` compares faces there: it cuts both sides into blocks, has tasks count the pairs
of two blocks each (:mod:`~facepart.cluster.blocks`), and others add up what they found
(:mod:`~facepart.cluster.sparse`). :mod:`~facepart.cluster.executor` has photos worked on there, by workers
(:mod:`~facepart.cluster.worker`) to which :mod:`~facepart.cluster.pool` hands shards, in the order that
:mod:`~facepart.cluster.handing` tells. Ray is an extra, ``facepart[ray]``, and is imported only when it is asked for.
"""
