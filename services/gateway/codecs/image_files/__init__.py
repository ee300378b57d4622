"""Image files, read so that their pixels alone decide whether and how they are read.

PNG and JPEG files are decoded in this process, after their chunks or segments are counted and
those that do not belong to the pixels are dropped. Files of other formats are decoded in a process
of its own, which has little memory and can be killed.
"""
