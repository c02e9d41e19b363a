"""The same work on several machines, by Ray.

:mod:`~facepart.cluster.connect` reaches a cluster, :mod:`~facepart.cluster.matching` compares faces there: it cuts
both sides into blocks, has tasks count the pairs of two blocks each (:mod:`~facepart.cluster.blocks`), and others add
up what they found (:mod:`~facepart.cluster.sparse`). Ray is an extra, ``facepart[ray]``, and is imported only when it
is asked for.
"""
