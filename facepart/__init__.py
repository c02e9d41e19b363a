"""Which parts of a face does a face recogniser rely on?

The rooms, in the order in which data flows (each imports only those before it):

``files``, ``images``, ``lists``, ``subjects``
    files on disk -> arrays; paths -> people
``engines``
    a network on a device: 8-bit photos in, arrays out
``models``
    a name -> weights on disk, verified
``parsing``
    photo -> label map (BiSeNet, 19 classes)
``parts``, ``occlusion``
    label map -> part masks -> photos with one part gone
``recognition``
    aligned face -> embedding of unit length (ArcFace)
``scores``
    how often every score occurs: what the stages after this hand on
``matching``
    embeddings + people -> authentic and impostor scores
``cluster``
    the same on several machines, by Ray
``metrics``
    scores -> figures
``uncertainty``
    what each person adds to a figure -> standard errors and intervals
``plots``
    figures and intervals -> pictures and tables
``report``
    the figures of a study -> tables, and a page
``study``
    the whole experiment: photos to the embeddings of every blurred version, their scores, and the report
``demo``
    the study's photographs inside public packages
``cli``
    the commands; the only room that prints, parses arguments or exits
"""

__version__ = "0.1.0"
