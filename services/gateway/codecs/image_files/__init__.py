"""Image file formats: decodes pixels safely, and ignores all metadata except the orientation.

PNG and JPEG files are decoded in this process, after their chunks or segments are counted and
those that do not belong to the pixels are removed. Files of other formats are decoded in a separate
process, whose memory is limited and which can be killed.
"""
