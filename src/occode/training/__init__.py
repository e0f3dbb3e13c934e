"""Models from text: corpus, examples, SVMs, calibration, publication."""
