"""Instances and bundles: reading, selecting, and changing them one by one."""
